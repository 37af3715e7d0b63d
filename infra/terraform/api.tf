# The authorizer before APIs that are there.

resource "aws_api_gateway_authorizer" "rest" {
  count = var.rest_api_id == "" ? 0 : 1

  name                             = "Doorward"
  rest_api_id                      = var.rest_api_id
  type                             = "REQUEST"
  authorizer_uri                   = aws_lambda_function.all["authorizer"].invoke_arn
  authorizer_result_ttl_in_seconds = var.ttl_seconds
  identity_source = join(",", concat(
    ["method.request.header.${var.identity_header}"], [for fact in var.identity_context : "context.${fact}"]
  ))
}

# This authorizer of this API of this account alone.
resource "aws_lambda_permission" "rest" {
  count = var.rest_api_id == "" ? 0 : 1

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.all["authorizer"].function_name
  principal      = "apigateway.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${data.aws_partition.here.partition}:execute-api:${local.region}:${local.account}:${var.rest_api_id}/authorizers/${aws_api_gateway_authorizer.rest[0].id}"
}

resource "aws_api_gateway_gateway_response" "rest" {
  for_each = { for response in local.shapes.gateway_responses[var.rate_limited] : response.ResponseType => response if var.rest_api_id != "" }

  rest_api_id         = var.rest_api_id
  response_type       = each.key
  status_code         = lookup(each.value, "StatusCode", null)
  response_parameters = each.value.ResponseParameters
  response_templates  = lookup(each.value, "ResponseTemplates", null)
}

resource "aws_apigatewayv2_authorizer" "http" {
  count = var.http_api_id == "" ? 0 : 1

  name                              = "Doorward"
  api_id                            = var.http_api_id
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.all["authorizer"].invoke_arn
  authorizer_payload_format_version = "2.0"
  # A policy, not one boolean: a cached boolean would cover every route.
  enable_simple_responses          = false
  authorizer_result_ttl_in_seconds = var.ttl_seconds
  identity_sources = concat(
    ["$request.header.${var.identity_header}"], [for fact in var.identity_context : "$context.${fact}"]
  )
}

# Without it every request ends with 500.
resource "aws_lambda_permission" "http" {
  count = var.http_api_id == "" ? 0 : 1

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.all["authorizer"].function_name
  principal      = "apigateway.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${data.aws_partition.here.partition}:execute-api:${local.region}:${local.account}:${var.http_api_id}/authorizers/${aws_apigatewayv2_authorizer.http[0].id}"
}
