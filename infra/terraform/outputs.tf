output "authorizer_function_arn" {
  value       = aws_lambda_function.all["authorizer"].arn
  description = "The function of the authorizer."
}

output "key_admin_function_arn" {
  value       = aws_lambda_function.all["key_admin"].arn
  description = "The function of key administration. Whoever may invoke it directly is an operator."
}

output "keys_table_name" {
  value       = aws_dynamodb_table.all["keys"].name
  description = "The table of keys."
}

output "counters_table_name" {
  value       = aws_dynamodb_table.all["counters"].name
  description = "The table of limits and usage."
}

output "rest_authorizer_id" {
  value       = one(aws_api_gateway_authorizer.rest[*].id)
  description = "For authorizer_id of the methods of the REST API, with authorization = \"CUSTOM\"."
}

output "http_authorizer_id" {
  value       = one(aws_apigatewayv2_authorizer.http[*].id)
  description = "For authorizer_id of the routes of the HTTP API, with authorization_type = \"CUSTOM\"."
}

output "access_log_formats" {
  value       = { rest = local.shapes.access_log.rest, http = local.shapes.access_log.http }
  description = "Formats of access logs that key administration reads."
}
