# Tables, functions and their rights, from infra/facts.json, which is written from template.yaml.

data "aws_partition" "here" {}
data "aws_region" "here" {}
data "aws_caller_identity" "here" {}

locals {
  region  = data.aws_region.here.region
  account = data.aws_caller_identity.here.account_id

  parameters = {
    AuthorizerTtlSeconds = var.ttl_seconds
    CorsAllowOrigin      = var.cors_allow_origin
    CrlObject            = var.crl_object
    EventBusName         = var.event_bus_name
    IdentityTokenKeyArn  = var.identity_token_key_arn
    ParameterPath        = var.parameter_path
    SecretPath           = var.secret_path
    StageName            = var.stage_name
    SuccessorSecretPath  = var.successor_secret_path
    TableKeyArn          = var.table_key_arn
    AWS = {
      Partition = data.aws_partition.here.partition
      Region    = local.region
      AccountId = local.account
      URLSuffix = data.aws_partition.here.dns_suffix
    }
    # An API that is not there has no id; what would name it is taken out below.
    RestApi = { Ref = coalesce(var.rest_api_id, "none") }
    HttpApi = { Ref = coalesce(var.http_api_id, "none") }
  }

  # Twice, because the tables are made from what stands there too.
  nothing = { Arn = "", Ref = "" }
  shapes = jsondecode(templatefile("${path.module}/../facts.json", merge(local.parameters, {
    KeysTable = local.nothing, CountersTable = local.nothing, AuthorizerLogs = local.nothing, KeyAdminLogs = local.nothing
  })))
  facts = jsondecode(templatefile("${path.module}/../facts.json", merge(local.parameters, {
    KeysTable      = { Arn = aws_dynamodb_table.all["keys"].arn, Ref = aws_dynamodb_table.all["keys"].name }
    CountersTable  = { Arn = aws_dynamodb_table.all["counters"].arn, Ref = aws_dynamodb_table.all["counters"].name }
    AuthorizerLogs = { Arn = aws_cloudwatch_log_group.all["authorizer"].arn, Ref = aws_cloudwatch_log_group.all["authorizer"].name }
    KeyAdminLogs   = { Arn = aws_cloudwatch_log_group.all["key_admin"].arn, Ref = aws_cloudwatch_log_group.all["key_admin"].name }
  })))

  flushes = var.flush_authorizer_cache && (var.rest_api_id != "" || var.http_api_id != "")
  # Rights that are there only where somebody asks for them.
  optional = {
    FlushAuthorizerCaches         = local.flushes
    PutSuccessors                 = var.successor_secret_path != ""
    ReadParameters                = var.parameter_path != ""
    ReadPublicKeyOfIdentityTokens = var.identity_token_key_arn != ""
    ReadRevocationLists           = var.crl_object != ""
    ReadSecrets                   = var.secret_path != ""
    SignIdentityTokens            = var.identity_token_key_arn != ""
    TellBus                       = var.event_bus_name != ""
    UseTableKey                   = var.table_key_arn != ""
  }
  statements = { for role, statements in local.facts.roles : role => [
    for statement in statements : merge(statement, {
      Resource = [for resource in flatten([statement.Resource]) : resource if length(regexall("::/(restapis|apis)/none/", resource)) == 0]
    }) if lookup(local.optional, statement.Sid, true)
  ] }

  zips = { authorizer = var.authorizer_zip, key_admin = var.key_admin_zip }
  flush_stages = compact([
    var.rest_api_id == "" ? "" : "rest:${var.rest_api_id}/${var.stage_name}",
    var.http_api_id == "" ? "" : "http:${var.http_api_id}/${var.stage_name}",
  ])
  environment = { for name, function in local.facts.functions : name => {
    for variable, value in merge(function.environment, { DOORWARD_CONFIG = var.config },
      contains(keys(function.environment), "DOORWARD_FLUSH_STAGES") ? { DOORWARD_FLUSH_STAGES = local.flushes ? join(",", local.flush_stages) : "" } : {}
    ) : variable => value if value != ""
  } }
}

resource "aws_dynamodb_table" "all" {
  for_each = local.shapes.tables

  name                        = "${var.name}-${each.key}"
  billing_mode                = each.value.BillingMode
  hash_key                    = one([for key in each.value.KeySchema : key.AttributeName if key.KeyType == "HASH"])
  range_key                   = one([for key in each.value.KeySchema : key.AttributeName if key.KeyType == "RANGE"])
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = each.value.AttributeDefinitions
    content {
      name = attribute.value.AttributeName
      type = attribute.value.AttributeType
    }
  }

  dynamic "global_secondary_index" {
    for_each = lookup(each.value, "GlobalSecondaryIndexes", [])
    content {
      name            = global_secondary_index.value.IndexName
      hash_key        = one([for key in global_secondary_index.value.KeySchema : key.AttributeName if key.KeyType == "HASH"])
      range_key       = one([for key in global_secondary_index.value.KeySchema : key.AttributeName if key.KeyType == "RANGE"])
      projection_type = global_secondary_index.value.Projection.ProjectionType
    }
  }

  ttl {
    attribute_name = each.value.TimeToLiveSpecification.AttributeName
    enabled        = each.value.TimeToLiveSpecification.Enabled
  }

  point_in_time_recovery {
    enabled = each.value.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.table_key_arn == "" ? null : var.table_key_arn
  }
}

resource "aws_cloudwatch_log_group" "all" {
  for_each = local.zips

  name              = "/doorward/${var.name}/${replace(each.key, "_", "-")}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "all" {
  for_each = local.zips

  name = "${var.name}-${replace(each.key, "_", "-")}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "all" {
  for_each = local.zips

  name   = replace(each.key, "_", "-")
  role   = aws_iam_role.all[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}

resource "aws_lambda_function" "all" {
  for_each = local.zips

  function_name    = "${var.name}-${replace(each.key, "_", "-")}"
  description      = local.facts.functions[each.key].description
  role             = aws_iam_role.all[each.key].arn
  filename         = each.value
  source_code_hash = filebase64sha256(each.value)
  runtime          = local.facts.functions[each.key].runtime
  handler          = local.facts.functions[each.key].handler
  memory_size      = tonumber(local.facts.functions[each.key].memory)
  timeout          = tonumber(local.facts.functions[each.key].timeout)
  architectures    = [var.architecture]
  layers           = var.layers

  environment {
    variables = local.environment[each.key]
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.all[each.key].name
  }

  depends_on = [aws_iam_role_policy.all]
}
