variable "name" {
  type        = string
  default     = "doorward"
  description = "What the names of all resources begin with."
}

variable "authorizer_zip" {
  type        = string
  description = "The zip with the binary `bootstrap` of the authorizer: cargo lambda build --release --package doorward-authorizer --output-format zip."
}

variable "key_admin_zip" {
  type        = string
  description = "The same of doorward-key-admin."
}

variable "config" {
  type        = string
  description = "Where both functions have their configuration: ssm:/doorward/config, secretsmanager:doorward/config, or a file of a layer such as /opt/doorward.toml."
}

variable "layers" {
  type        = list(string)
  default     = []
  description = "ARNs of layers of both functions, such as one with the configuration."
}

variable "architecture" {
  type        = string
  default     = "arm64"
  description = "The processor that the binaries were built for."
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Lambda has arm64 and x86_64."
  }
}

variable "rest_api_id" {
  type        = string
  default     = ""
  description = "A REST API that gets the authorizer and gateway responses. Name the authorizer at its methods, and deploy its stage anew."
}

variable "http_api_id" {
  type        = string
  default     = ""
  description = "An HTTP API that gets the authorizer. Name it at its routes."
}

variable "stage_name" {
  type        = string
  default     = "v1"
  description = "The stage of these APIs, whose kept answers are thrown away after a key was narrowed."
}

variable "flush_authorizer_cache" {
  type        = bool
  default     = true
  description = "Whether they are."
}

variable "ttl_seconds" {
  type        = number
  default     = 60
  description = "How long API Gateway keeps an answer of the authorizer. A revoked key may work that much longer."
  validation {
    condition     = var.ttl_seconds >= 0 && var.ttl_seconds <= 3600
    error_message = "API Gateway keeps answers for 0 to 3600 seconds."
  }
}

variable "identity_header" {
  type        = string
  default     = "Authorization"
  description = "The header without which API Gateway answers 401 by itself, and under whose value it keeps an answer."
}

variable "identity_context" {
  type        = list(string)
  default     = []
  description = "What else tells kept answers apart, such as identity.sourceIp; see docs/caching.md."
}

variable "rate_limited" {
  type        = string
  default     = "backend"
  description = "Who answers 429 on the REST API. Must agree with answers.rate_limited of the configuration."
  validation {
    condition     = contains(["backend", "deny"], var.rate_limited)
    error_message = "This module knows backend and deny; penalty_key needs usage plans, see template.yaml."
  }
}

variable "cors_allow_origin" {
  type        = string
  default     = "*"
  description = "The origin whose pages may read refusals of the REST API."
}

variable "deletion_protection" {
  type        = bool
  default     = true
  description = "Whether the tables refuse to be deleted."
}

variable "table_key_arn" {
  type        = string
  default     = ""
  description = "The key of KMS that encrypts both tables; empty for the one that AWS keeps in this account for DynamoDB."
}

variable "parameter_path" {
  type        = string
  default     = ""
  description = "Where both functions may read in SSM Parameter Store, such as /doorward; empty for nowhere."
}

variable "secret_path" {
  type        = string
  default     = ""
  description = "Where both functions may read in Secrets Manager, such as doorward; empty for nowhere."
}

variable "successor_secret_path" {
  type        = string
  default     = ""
  description = "Where key administration may put successors of keys that are rotated by a schedule; empty for nowhere."
}

variable "crl_object" {
  type        = string
  default     = ""
  description = "Lists of revoked certificates that the authorizer may read in S3, such as acme-pki/*.crl; empty for none."
}

variable "identity_token_key_arn" {
  type        = string
  default     = ""
  description = "The key of KMS that signs identity tokens; empty for none."
}

variable "event_bus_name" {
  type        = string
  default     = ""
  description = "The event bus that is told of everything that happens to keys; empty for lines of the log."
}

variable "access_log_group_names" {
  type        = set(string)
  default     = []
  description = "Log groups of access logs in one of the formats of the output access_log_formats; key administration counts their requests by key."
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "How long log lines are kept."
}
