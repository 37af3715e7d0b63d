// A REST API and an HTTP API behind Doorward: node example/app.ts writes the template into cdk.out.

import { App, CfnOutput, Duration, Stack, aws_apigateway as apigateway, aws_apigatewayv2 as apigatewayv2, aws_lambda as lambda } from "aws-cdk-lib";
import { HttpUrlIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { fileURLToPath } from "node:url";
import { Doorward } from "../lib/doorward.ts";

const folder = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const built = (binary: string) => lambda.Code.fromAsset(folder(`target/lambda/${binary}`));

const app = new App({ outdir: process.argv[2] ?? "cdk.out" });
const stack = new Stack(app, "Doorward");

const config = new lambda.LayerVersion(stack, "Config", { code: lambda.Code.fromAsset(folder("infra/config")) });
const doorward = new Doorward(stack, "Doorward", {
  authorizerCode: built("authorizer"),
  keyAdminCode: built("key-admin"),
  config: "/opt/doorward.toml",
  layers: [config],
  architecture: lambda.Architecture.X86_64,
  ttl: Duration.seconds(60),
});

const rest = new apigateway.RestApi(stack, "Rest", { deployOptions: { stageName: "v1" }, cloudWatchRole: false });
rest.root.addResource("orders").addMethod("GET", new apigateway.HttpIntegration("https://orders.example.com/orders"), {
  authorizer: doorward.forRestApi(rest),
});

const http = new apigatewayv2.HttpApi(stack, "Http");
http.addRoutes({
  path: "/orders",
  methods: [apigatewayv2.HttpMethod.GET],
  integration: new HttpUrlIntegration("Orders", "https://orders.example.com/orders"),
  authorizer: doorward.forHttpApi(http),
});

new CfnOutput(stack, "KeyAdminFunctionName", { value: doorward.keyAdmin.functionName });
app.synth();
