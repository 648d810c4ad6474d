/** Manifests of agents, and folders that are gone after each test. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Applied, applyManifests, type Before } from '../../../src/dev/apply.ts';
import { readManifests } from '../../../src/dev/manifests.ts';

/** Nothing was there before. */
const NOTHING: Before = { births: {}, accepted: new Map() };

/** Where the swarm of the examples lies. */
export const SWARM: string = join(import.meta.dirname, '../../../examples/swarm');

/** The swarm in one text. */
export const SWARM_TEXT: string = ['namespace', 'agents', 'policy']
  .map((file) => readFileSync(join(SWARM, `${file}.yaml`), 'utf8'))
  .join('\n---\n');

/** An agent in namespace `default` that holds capabilities by name. */
export function agentText(name: string, ...capabilities: readonly string[]): string {
  const held = capabilities.map((each) => ({ name: each }));
  return manifest('AgentIdentity', name, held.length === 0 ? {} : { capabilities: held });
}

/** A policy with one rule for capabilities by name. */
export function policyText(from: string, to: string, ...capabilities: readonly string[]): string {
  const rule = { from, to: [to], capabilities: capabilities.map((name) => ({ name })) };
  return manifest('DelegationPolicy', `${from}-to-${to}`, { rules: [rule] });
}

/** An object of ours as a YAML document; JSON is YAML. */
export function manifest(kind: string, name: string, spec: object, metadata: object = {}): string {
  const apiVersion = kind === 'Namespace' ? 'v1' : 'agenttrust.dev/v1alpha1';
  return `---\n${JSON.stringify({ apiVersion, kind, metadata: { name, ...metadata }, spec })}\n`;
}

/** Applies a text, which stands in `swarm.yaml`. */
export function applyText(text: string, before: Before = NOTHING): Promise<Applied> {
  return applyManifests({
    manifests: readManifests(new Map([['swarm.yaml', text]])),
    namespace: 'default',
    trustDomain: 'dev.test',
    nowMs: () => Date.UTC(2026, 10, 20, 10),
    before,
  });
}

/** A new folder for each test. Call inside `describe`. */
export function useFolder(): { readonly path: string; write(name: string, text: string): string } {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'agent-trust-dev-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
    write(name, text) {
      writeFileSync(join(path, name), text);
      return join(path, name);
    },
  };
}
