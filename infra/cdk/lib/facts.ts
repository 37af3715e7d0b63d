// What template.yaml says, with the values of this deployment put in.

import { readFileSync } from "node:fs";

export interface Statement {
  readonly Sid: string;
  readonly Resource: string | readonly string[];
  readonly [member: string]: unknown;
}

export interface FunctionFacts {
  readonly description: string;
  readonly memory: string;
  readonly timeout: string;
  readonly runtime: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface GatewayResponseFacts {
  readonly ResponseType: string;
  readonly StatusCode?: string;
  readonly ResponseParameters: Readonly<Record<string, string>>;
  readonly ResponseTemplates?: Readonly<Record<string, string>>;
}

export interface Facts {
  readonly tables: Readonly<Record<"keys" | "counters", Readonly<Record<string, unknown>>>>;
  readonly functions: Readonly<Record<"authorizer" | "key_admin", FunctionFacts>>;
  readonly roles: Readonly<Record<"authorizer" | "key_admin", readonly Statement[]>>;
  readonly gateway_responses: Readonly<Record<"backend" | "deny", readonly GatewayResponseFacts[]>>;
  readonly access_log: Readonly<Record<"rest" | "http" | "filter", string>>;
  readonly decoys_filter: string;
  readonly schedules: Readonly<
    Record<"minute" | "day", { readonly expression: string; readonly input: string; readonly retries: string | null }>
  >;
}

const TEXT = readFileSync(new URL("../../facts.json", import.meta.url), "utf8");

/** The facts, where `${Name}` reads as `values` has it. A name that it does not have is a mistake. */
export function facts(values: Readonly<Record<string, string>>): Facts {
  return filled(JSON.parse(TEXT), values) as Facts;
}

function filled(value: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") {
    return value.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
      const found = values[name];
      if (found === undefined) {
        throw new Error(`infra/facts.json names \`${name}\`, which the construct does not know`);
      }
      return found;
    });
  }
  if (Array.isArray(value)) {
    return value.map((one) => filled(one, values));
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, values)]));
  }
  return value;
}
