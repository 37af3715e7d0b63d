// Doorward as a construct: tables, functions and rights, and the authorizer before APIs of the same app.

import {
  CfnDeletionPolicy,
  CfnResource,
  Duration,
  RemovalPolicy,
  Stack,
  aws_apigateway as apigateway,
  aws_apigatewayv2 as apigatewayv2,
  aws_events as events,
  aws_events_targets as targets,
  aws_iam as iam,
  aws_lambda as lambda,
  aws_logs as logs,
  aws_logs_destinations as destinations,
} from "aws-cdk-lib";
import { Construct } from "constructs";
import { facts, type Facts, type Statement } from "./facts.ts";

export interface DoorwardProps {
  /** The folder or zip with the binary `bootstrap` of the authorizer: target/lambda/authorizer. */
  readonly authorizerCode: lambda.Code;
  /** The same of key administration: target/lambda/key-admin. */
  readonly keyAdminCode: lambda.Code;
  /** Where both functions have their configuration: ssm:/doorward/config, or a file of a layer such as /opt/doorward.toml. */
  readonly config: string;
  /** Layers of both functions, such as one with the configuration. */
  readonly layers?: readonly lambda.ILayerVersion[];
  /** The processor that the binaries were built for. Arm64 where nothing is said. */
  readonly architecture?: lambda.Architecture;
  /** How long API Gateway keeps an answer. A revoked key may work that much longer. 60 seconds where nothing is said. */
  readonly ttl?: Duration;
  /** The header under whose value answers are kept. */
  readonly identityHeader?: string;
  /** What else tells kept answers apart, such as identity.sourceIp; see docs/caching.md. */
  readonly identityContext?: readonly string[];
  /** Who answers 429 on a REST API. Must agree with answers.rate_limited of the configuration. */
  readonly rateLimited?: "backend" | "deny";
  /** The origin whose pages may read refusals of a REST API. */
  readonly corsAllowOrigin?: string;
  /** Whether the tables refuse to be deleted. They do where nothing is said. */
  readonly deletionProtection?: boolean;
  /** The key of KMS that encrypts both tables. */
  readonly tableKeyArn?: string;
  /** Where both functions may read in SSM Parameter Store, such as /doorward. */
  readonly parameterPath?: string;
  /** Where both functions may read in Secrets Manager, such as doorward. */
  readonly secretPath?: string;
  /** Where key administration may put successors of keys that are rotated by a schedule. */
  readonly successorSecretPath?: string;
  /** Lists of revoked certificates that the authorizer may read in S3, such as acme-pki/*.crl. */
  readonly crlObject?: string;
  /** The key of KMS that signs identity tokens. */
  readonly identityTokenKeyArn?: string;
  /** The event bus that is told of everything that happens to keys. */
  readonly eventBusName?: string;
  /** Stages whose kept answers are thrown away after a key was narrowed. APIs by their ids, so make them without this construct. */
  readonly flush?: { readonly restApiId?: string; readonly httpApiId?: string; readonly stageName: string };
  /** How long log lines are kept. */
  readonly logRetention?: logs.RetentionDays;
}

export class Doorward extends Construct {
  readonly authorizer: lambda.Function;
  readonly keyAdmin: lambda.Function;
  readonly keysTableName: string;
  readonly countersTableName: string;
  /** Formats of access logs that key administration reads. */
  readonly accessLogFormats: { readonly rest: string; readonly http: string };
  readonly #facts: Facts;
  readonly #props: DoorwardProps;

  constructor(scope: Construct, id: string, props: DoorwardProps) {
    super(scope, id);
    this.#props = props;
    const stack = Stack.of(this);
    const log = (name: string) =>
      new logs.LogGroup(this, `${name}Logs`, {
        retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      });
    const [authorizerLogs, keyAdminLogs] = [log("Authorizer"), log("KeyAdmin")];
    const given: Record<string, string> = {
      AuthorizerTtlSeconds: String((props.ttl ?? Duration.seconds(60)).toSeconds()),
      CorsAllowOrigin: props.corsAllowOrigin ?? "*",
      CrlObject: props.crlObject ?? "",
      EventBusName: props.eventBusName ?? "",
      IdentityTokenKeyArn: props.identityTokenKeyArn ?? "",
      ParameterPath: props.parameterPath ?? "",
      SecretPath: props.secretPath ?? "",
      StageName: props.flush?.stageName ?? "none",
      SuccessorSecretPath: props.successorSecretPath ?? "",
      TableKeyArn: props.tableKeyArn ?? "",
      "AWS.Partition": stack.partition,
      "AWS.Region": stack.region,
      "AWS.AccountId": stack.account,
      "AWS.URLSuffix": stack.urlSuffix,
      "RestApi.Ref": props.flush?.restApiId ?? "none",
      "HttpApi.Ref": props.flush?.httpApiId ?? "none",
      "AuthorizerLogs.Ref": authorizerLogs.logGroupName,
      "KeyAdminLogs.Ref": keyAdminLogs.logGroupName,
    };
    const nothing = { "KeysTable.Arn": "", "KeysTable.Ref": "", "CountersTable.Arn": "", "CountersTable.Ref": "" };
    const shapes = facts({ ...given, ...nothing });
    const [keys, counters] = [this.#table("KeysTable", shapes.tables.keys), this.#table("CountersTable", shapes.tables.counters)];
    this.keysTableName = keys.ref;
    this.countersTableName = counters.ref;
    this.#facts = facts({
      ...given,
      "KeysTable.Arn": keys.getAtt("Arn").toString(),
      "KeysTable.Ref": keys.ref,
      "CountersTable.Arn": counters.getAtt("Arn").toString(),
      "CountersTable.Ref": counters.ref,
    });
    this.accessLogFormats = this.#facts.access_log;
    this.authorizer = this.#function("Authorizer", "authorizer", props.authorizerCode, authorizerLogs);
    this.keyAdmin = this.#function("KeyAdmin", "key_admin", props.keyAdminCode, keyAdminLogs);
    this.#jobs();
    this.#subscribe("DecoysToKeyAdmin", authorizerLogs, this.#facts.decoys_filter);
  }

  /** The authorizer for methods of a REST API, whose refusals then look as those of template.yaml. */
  forRestApi(api: apigateway.RestApi): apigateway.IAuthorizer {
    for (const response of this.#facts.gateway_responses[this.#props.rateLimited ?? "backend"]) {
      const headers = Object.entries(response.ResponseParameters);
      // By the API itself, so that its deployment waits for them and a change of them is deployed.
      api.addGatewayResponse(`Doorward${response.ResponseType}`, {
        type: apigateway.ResponseType.of(response.ResponseType),
        responseHeaders: Object.fromEntries(headers.map(([name, value]) => [name.replace("gatewayresponse.header.", ""), value])),
        ...(response.StatusCode === undefined ? {} : { statusCode: response.StatusCode }),
        ...(response.ResponseTemplates === undefined ? {} : { templates: { ...response.ResponseTemplates } }),
      });
    }
    const context = (this.#props.identityContext ?? []).map((fact) => apigateway.IdentitySource.context(fact));
    const header = apigateway.IdentitySource.header(this.#props.identityHeader ?? "Authorization");
    return new apigateway.RequestAuthorizer(api, "Doorward", {
      handler: this.authorizer,
      identitySources: [header, ...context],
      resultsCacheTtl: this.#props.ttl ?? Duration.seconds(60),
    });
  }

  /** The authorizer for routes of an HTTP API. */
  forHttpApi(api: apigatewayv2.HttpApi): apigatewayv2.IHttpRouteAuthorizer {
    const stack = Stack.of(this);
    const context = (this.#props.identityContext ?? []).map((fact) => `$context.${fact}`);
    const authorizer = new apigatewayv2.HttpAuthorizer(api, "Doorward", {
      httpApi: api,
      type: apigatewayv2.HttpAuthorizerType.LAMBDA,
      authorizerUri: `arn:${stack.partition}:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${this.authorizer.functionArn}/invocations`,
      payloadFormatVersion: apigatewayv2.AuthorizerPayloadVersion.VERSION_2_0,
      // A policy, not one boolean: a cached boolean would cover every route.
      enableSimpleResponses: false,
      identitySource: [`$request.header.${this.#props.identityHeader ?? "Authorization"}`, ...context],
      resultsCacheTtl: this.#props.ttl ?? Duration.seconds(60),
    });
    // Without it every request ends with 500.
    this.authorizer.addPermission(`${api.node.id}InvokesAuthorizer`, {
      principal: new iam.ServicePrincipal("apigateway.amazonaws.com"),
      sourceAccount: stack.account,
      sourceArn: `arn:${stack.partition}:execute-api:${stack.region}:${stack.account}:${api.apiId}/authorizers/${authorizer.authorizerId}`,
    });
    return apigatewayv2.HttpAuthorizer.fromHttpAuthorizerAttributes(api, "DoorwardOfRoutes", {
      authorizerId: authorizer.authorizerId,
      authorizerType: "CUSTOM",
    });
  }

  /** Counts the requests in an access log that has one of `accessLogFormats`. */
  countAccessLog(id: string, log: logs.ILogGroup): void {
    this.#subscribe(id, log, this.#facts.access_log.filter);
  }

  #table(id: string, shape: Readonly<Record<string, unknown>>): CfnResource {
    const { KMSMasterKeyId: _, ...encryption } = shape["SSESpecification"] as Record<string, unknown>;
    const key = this.#props.tableKeyArn;
    const table = new CfnResource(this, id, {
      type: "AWS::DynamoDB::Table",
      properties: {
        ...shape,
        DeletionProtectionEnabled: this.#props.deletionProtection ?? true,
        SSESpecification: key === undefined ? encryption : { ...encryption, KMSMasterKeyId: key },
      },
    });
    table.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
    table.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    return table;
  }

  #function(id: string, name: "authorizer" | "key_admin", code: lambda.Code, logGroup: logs.ILogGroup): lambda.Function {
    const ours = this.#facts.functions[name];
    const role = new iam.Role(this, `${id}Role`, {
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: {
        [name]: iam.PolicyDocument.fromJson({ Version: "2012-10-17", Statement: this.#statements(this.#facts.roles[name]) }),
      },
    });
    const environment: Record<string, string> = { ...ours.environment, DOORWARD_CONFIG: this.#props.config };
    if ("DOORWARD_FLUSH_STAGES" in environment) {
      const { restApiId, httpApiId, stageName } = this.#props.flush ?? {};
      const rest = restApiId === undefined ? [] : [`rest:${restApiId}/${stageName}`];
      const http = httpApiId === undefined ? [] : [`http:${httpApiId}/${stageName}`];
      environment["DOORWARD_FLUSH_STAGES"] = [...rest, ...http].join(",");
    }
    return new lambda.Function(this, id, {
      description: ours.description,
      code,
      runtime: new lambda.Runtime(ours.runtime),
      handler: ours.handler,
      memorySize: Number(ours.memory),
      timeout: Duration.seconds(Number(ours.timeout)),
      architecture: this.#props.architecture ?? lambda.Architecture.ARM_64,
      layers: [...(this.#props.layers ?? [])],
      // The policy of the role is all that it may do: nothing is added to it.
      role: role.withoutPolicyUpdates(),
      environment: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== "")),
      logGroup,
    });
  }

  /** The rights that somebody asks for. */
  #statements(all: readonly Statement[]): readonly Statement[] {
    const props = this.#props;
    const asked: Readonly<Record<string, boolean>> = {
      FlushAuthorizerCaches: props.flush?.restApiId !== undefined || props.flush?.httpApiId !== undefined,
      PutSuccessors: props.successorSecretPath !== undefined,
      ReadParameters: props.parameterPath !== undefined,
      ReadPublicKeyOfIdentityTokens: props.identityTokenKeyArn !== undefined,
      ReadRevocationLists: props.crlObject !== undefined,
      ReadSecrets: props.secretPath !== undefined,
      SignIdentityTokens: props.identityTokenKeyArn !== undefined,
      TellBus: props.eventBusName !== undefined,
      UseTableKey: props.tableKeyArn !== undefined,
    };
    const there = (resource: string) => !/::\/(restapis|apis)\/none\//.test(resource);
    return all
      .filter((statement) => asked[statement.Sid] ?? true)
      .map((statement) => ({ ...statement, Resource: [statement.Resource].flat().filter(there) }));
  }

  #jobs(): void {
    for (const [name, job] of Object.entries(this.#facts.schedules)) {
      new events.Rule(this, `Every${name === "minute" ? "Minute" : "Day"}`, {
        schedule: events.Schedule.expression(job.expression),
        targets: [
          new targets.LambdaFunction(this.keyAdmin, {
            event: events.RuleTargetInput.fromObject(JSON.parse(job.input)),
            ...(job.retries === null ? {} : { retryAttempts: Number(job.retries) }),
          }),
        ],
      });
    }
  }

  #subscribe(id: string, logGroup: logs.ILogGroup, pattern: string): void {
    new logs.SubscriptionFilter(this, id, {
      logGroup,
      destination: new destinations.LambdaDestination(this.keyAdmin),
      filterPattern: logs.FilterPattern.literal(pattern),
    });
  }
}
