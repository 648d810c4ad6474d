/**
 * What Istio's own settings say about what is rendered: its trust domain, and the ext_authz provider. Only for telling
 * people: nothing is decided on it, so that a text that cannot be read costs a hint and nothing else.
 */

import type { Finding } from './ready-facts.ts';

/** The part of the mesh config that is read. */
export interface MeshConfig {
  readonly trustDomain: string | undefined;
  readonly trustDomainAliases: readonly string[];
  readonly providers: readonly ExtensionProvider[];
}

/** An ext_authz provider. */
export interface ExtensionProvider {
  readonly name: string;
  readonly hasTimeout: boolean;
  readonly failsOpen: boolean;
}

/** What was rendered. */
export interface MeshSettings {
  readonly trustDomain: string;
  readonly authorizerProvider?: string;
}

const MAX_LINES = 2_000;

/** Reads key `mesh` of Istio's ConfigMap: YAML in block style, as Istio's charts write it. */
export function readMeshConfig(text: string): MeshConfig {
  const lines = text.split('\n', MAX_LINES).filter((line) => line.trim() !== '' && !/^\s*#/.test(line));
  const trustDomain = lines.map((line) => /^trustDomain:\s*(.+)$/.exec(line)?.[1]).find((value) => value);
  return {
    trustDomain: trustDomain === undefined ? undefined : unquoted(trustDomain),
    trustDomainAliases: blockOf(lines, 'trustDomainAliases')
      .map((line) => /^\s*-\s+(.+)$/.exec(line)?.[1])
      .filter((value) => value !== undefined)
      .map(unquoted),
    providers: providersOf(blockOf(lines, 'extensionProviders')),
  };
}

/** What does not fit; empty when everything does, or nothing is known. */
export function judgeMeshConfig(
  config: MeshConfig | undefined,
  { trustDomain, authorizerProvider }: MeshSettings,
): readonly Finding[] {
  if (config === undefined) return [];
  const findings: Finding[] = [];
  const { trustDomain: actual = 'cluster.local', trustDomainAliases, providers } = config;
  if (actual !== trustDomain && !trustDomainAliases.includes(trustDomain)) {
    findings.push({
      reason: 'TrustDomainMismatch',
      message: `The mesh's trust domain is ${shorten(actual)}, the rendered principals are of ${trustDomain}: nobody is let in. Set trustDomain of the chart to that of the mesh.`,
    });
  }
  if (authorizerProvider !== undefined) findings.push(...judgeProvider(providers, authorizerProvider));
  return findings;
}

function judgeProvider(providers: readonly ExtensionProvider[], name: string): readonly Finding[] {
  const provider = providers.find((each) => each.name === name);
  const where = 'in extensionProviders of the mesh config';
  if (provider === undefined) {
    const message = `There is no provider ${name} ${where}: the mesh refuses every call. Add it there.`;
    return [{ reason: 'ProviderMissing', message }];
  }
  if (provider.failsOpen) {
    const message = `Provider ${name} has failOpen: true ${where}: calls go through when the authorizer is away. Set it to false.`;
    return [{ reason: 'ProviderFailsOpen', message }];
  }
  if (!provider.hasTimeout) {
    const message = `Provider ${name} has no timeout ${where}: Istio then waits 600 s. Set it, for example to 1s.`;
    return [{ reason: 'ProviderWithoutTimeout', message }];
  }
  return [];
}

/** The lines that belong to a key at the beginning of a line. */
function blockOf(lines: readonly string[], key: string): readonly string[] {
  const start = lines.findIndex((line) => line.trimEnd() === `${key}:`);
  if (start < 0) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => !/^(\s|-)/.test(line));
  return end < 0 ? rest : rest.slice(0, end);
}

function providersOf(lines: readonly string[]): readonly ExtensionProvider[] {
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  const isStart = (line: string): boolean => line.search(/\S/) === indent && line.trimStart().startsWith('-');
  const blocks: string[][] = [];
  for (const line of lines) {
    if (isStart(line)) blocks.push([line.replace('-', ' ')]);
    else blocks.at(-1)?.push(line);
  }
  return blocks.flatMap((block) => {
    const depth = Math.min(...block.map((line) => line.search(/\S/)));
    const name = block
      .filter((line) => line.search(/\S/) === depth)
      .map((line) => /^\s*name:\s*(.+)$/.exec(line)?.[1])
      .find((value) => value);
    if (name === undefined) return [];
    return {
      name: unquoted(name),
      hasTimeout: block.some((line) => /^\s*timeout:\s*\S/.test(line)),
      failsOpen: block.some((line) => /^\s*failOpen:\s*["']?true/.test(line)),
    };
  });
}

/** The value of a scalar, without quotes or a comment behind it. */
function unquoted(text: string): string {
  return text
    .replace(/\s#.*$/, '')
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');
}

/** Whoever writes the mesh config decides how long it is. */
function shorten(text: string): string {
  return text.slice(0, 253);
}
