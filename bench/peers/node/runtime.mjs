// The loop of a custom runtime, as small as can be: less than AWS's own runtime client for Node does.
import http from "node:http";
import { handler } from "./authorizer.mjs";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, agent, method, path, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const next = await call("GET", "/2018-06-01/runtime/invocation/next");
  const id = next.headers["lambda-runtime-aws-request-id"];
  let path = `/2018-06-01/runtime/invocation/${id}/response`;
  let said;
  try {
    said = await handler(JSON.parse(next.body));
  } catch (error) {
    path = `/2018-06-01/runtime/invocation/${id}/error`;
    said = { errorType: error.name, errorMessage: error.message };
  }
  await call("POST", path, JSON.stringify(said));
}
