/** The chart as Helm renders and installs it. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { ensureTools } from '../../hack/control-plane/tools.ts';

/** Its folder. */
export const CHART: string = fileURLToPath(new URL('../../helm/agent-trust', import.meta.url));
/** The operator's namespace. */
export const OWN = 'agent-trust-system';
/** Namespaces with agents. */
export const AGENTS = 'ai-agents';
export const DATA = 'ai-data';

/** What Helm said. */
export interface Run {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A rendered object, the fields that are looked at. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly roleRef?: { readonly name: string };
  readonly webhooks?: readonly Webhook[];
  readonly spec?: {
    readonly template?: { readonly spec: PodSpec };
    readonly matchResources?: { readonly namespaceSelector: Webhook['namespaceSelector'] };
  };
}

/** A pod of a Deployment, the fields that are looked at. */
export interface PodSpec {
  readonly containers: readonly {
    readonly name: string;
    readonly args: string[];
    readonly ports: readonly object[];
    readonly resources: object;
    readonly command: readonly string[];
  }[];
  readonly serviceAccountName: string;
  readonly terminationGracePeriodSeconds: number;
  readonly topologySpreadConstraints: readonly object[];
}

/** A webhook of a configuration, the fields that are looked at. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig: { readonly service: object; readonly caBundle?: string };
  readonly namespaceSelector?: { readonly matchExpressions: readonly object[] };
  readonly matchConditions: readonly { readonly name: string }[];
}

/** Runs Helm. */
export async function helm(...args: readonly string[]): Promise<Run> {
  const { helm: program } = await ensureTools();
  const { promise, resolve } = Promise.withResolvers<Run>();
  const child = execFile(program, args, { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout, stderr) => {
    resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr });
  });
  return promise;
}

/** Values as arguments of Helm. */
export function sets(values: readonly string[]): readonly string[] {
  return values.map((value) => `--set=${value}`);
}

/** What the chart makes of these values. */
export async function render(...values: readonly string[]): Promise<readonly Rendered[]> {
  const { exitStatus, stdout, stderr } = await helm(
    'template',
    'agent-trust',
    CHART,
    `--namespace=${OWN}`,
    ...sets(values),
  );
  expect(exitStatus, stderr).to.equal(0);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** The pod of a Deployment. */
export async function podOf(deployment: string, ...values: readonly string[]): Promise<PodSpec> {
  const objects = await render(...values);
  const found = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === deployment);
  if (found?.spec?.template === undefined) throw new Error(`there is no Deployment ${deployment}`);
  return found.spec.template.spec;
}
