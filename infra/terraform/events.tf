# What reaches key administration by itself: schedules, access logs, and uses of decoys.

resource "aws_cloudwatch_event_rule" "all" {
  for_each = local.shapes.schedules

  name                = "${var.name}-every-${each.key}"
  schedule_expression = each.value.expression
}

resource "aws_cloudwatch_event_target" "all" {
  for_each = local.shapes.schedules

  rule  = aws_cloudwatch_event_rule.all[each.key].name
  arn   = aws_lambda_function.all["key_admin"].arn
  input = each.value.input

  dynamic "retry_policy" {
    for_each = each.value.retries == null ? [] : [each.value.retries]
    content {
      maximum_retry_attempts = tonumber(retry_policy.value)
    }
  }
}

resource "aws_lambda_permission" "schedules" {
  for_each = local.shapes.schedules

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.all["key_admin"].function_name
  principal      = "events.amazonaws.com"
  source_account = local.account
  source_arn     = aws_cloudwatch_event_rule.all[each.key].arn
}

locals {
  # Log group and filter of every subscription.
  subscriptions = merge(
    { decoys = { group = aws_cloudwatch_log_group.all["authorizer"].name, filter = local.shapes.decoys_filter } },
    { for group in var.access_log_group_names : group => { group = group, filter = local.shapes.access_log.filter } },
  )
}

resource "aws_lambda_permission" "logs" {
  for_each = local.subscriptions

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.all["key_admin"].function_name
  principal      = "logs.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${data.aws_partition.here.partition}:logs:${local.region}:${local.account}:log-group:${each.value.group}:*"
}

resource "aws_cloudwatch_log_subscription_filter" "all" {
  for_each = local.subscriptions

  name            = "${var.name}-${replace(each.key, "/", "-")}"
  log_group_name  = each.value.group
  filter_pattern  = each.value.filter
  destination_arn = aws_lambda_function.all["key_admin"].arn

  depends_on = [aws_lambda_permission.logs]
}
