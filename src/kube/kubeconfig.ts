/** Reads kubeconfig files as kubectl does, through client-node, into what a connection needs. */

import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname, isAbsolute, join } from 'node:path';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { KubeError } from './errors.ts';

/** How the server is authenticated, and this side to it; the names are those of `tls.connect`. */
export interface ServerTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** A cluster and a user of a kubeconfig, ready for use. */
export interface KubeconfigAccess {
  readonly server: URL;
  readonly namespace: string | undefined;
  readonly tls: ServerTls;
  readonly token: string | undefined;
}

/** The files of a kubeconfig in order of precedence, and the context to use instead of the current one. */
export interface KubeconfigSource {
  readonly paths: readonly string[];
  readonly context?: string | undefined;
}

/**
 * Loads and merges the files; of entries with one name the first counts, as with kubectl.
 *
 * @throws KubeError KUBE_NO_CREDENTIALS naming the file or entry that is missing or unusable.
 */
export async function openKubeconfig(source: KubeconfigSource): Promise<KubeConfig> {
  const { KubeConfig } = await import('./kubeconfig-loader.ts');
  const merged = new KubeConfig();
  for (const path of source.paths) merge(merged, await parse(new KubeConfig(), path));
  if (source.context !== undefined) merged.setCurrentContext(source.context);
  assertUsable(merged, source);
  return merged;
}

/**
 * What the current context gives access to; runs the credential plugin if there is one and it has to be run.
 *
 * Over plain http (`kubectl proxy`) no credentials are used: they would travel in the clear.
 *
 * @throws KubeError KUBE_NO_CREDENTIALS
 */
export async function resolveKubeconfig(config: KubeConfig): Promise<KubeconfigAccess> {
  const server = serverOf(config.getCurrentCluster());
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  if (server.protocol === 'http:') return { server, namespace, tls: {}, token: undefined };
  const options = await authenticate(config);
  const authorization = (options.headers as Record<string, string> | undefined)?.['Authorization'];
  return { server, namespace, tls: tlsOf(options), token: authorization?.replace(/^Bearer /, '').trim() };
}

async function parse(config: KubeConfig, path: string): Promise<KubeConfig> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw noCredentials(`cannot read the kubeconfig ${path} (${error.code})`);
  });
  try {
    config.loadFromString(withTokenFiles(text, dirname(path)));
    config.makePathsAbsolute(dirname(path));
    return config;
  } catch (error) {
    // Neither the message nor the cause is kept: a YAML error quotes the file.
    const missing = error instanceof Error && 'code' in error ? `: a file it names (${error.code})` : '';
    throw noCredentials(`the kubeconfig ${path} cannot be used${missing}; compare \`kubectl config view\``);
  }
}

/** client-node knows `tokenFile` only as `token-file`, and reads it relative to the working directory. */
function withTokenFiles(text: string, directory: string): string {
  const entry = /(?<quote>["']?)\btokenFile\k<quote>(?<colon>\s*:\s*["']?)(?<path>[^\s"',}]+)/g;
  return text.replace(entry, (_match, quote: string, colon: string, path: string) => {
    return `${quote}token-file${quote}${colon}${isAbsolute(path) ? path : join(directory, path)}`;
  });
}

function merge(into: KubeConfig, from: KubeConfig): void {
  const without = <T extends { readonly name: string }>(added: T[], held: readonly T[]): T[] =>
    added.filter((entry) => !held.some((other) => other.name === entry.name));
  from.clusters = without(from.clusters, into.clusters);
  from.users = without(from.users, into.users);
  from.contexts = without(from.contexts, into.contexts);
  into.mergeConfig(from, into.currentContext !== undefined);
}

function assertUsable(config: KubeConfig, source: KubeconfigSource): void {
  const files = source.paths.join(', ');
  const name: string | undefined = config.getCurrentContext();
  if (!name) throw noCredentials(`${files} has no current-context: name a context`);
  const context = config.getContextObject(name);
  if (context === null) {
    const known = config.getContexts().map((entry) => entry.name);
    throw noCredentials(`${files} has no context ${name}; it has ${known.join(', ') || 'none'}`);
  }
  const cluster = config.getCluster(context.cluster);
  if (cluster === null) throw noCredentials(`${files}: context ${name} names an unknown cluster`);
  const user = config.getUser(context.user);
  if (user === null && context.user) throw noCredentials(`${files}: context ${name} names an unknown user`);
  const unsupported = unsupportedOf(cluster, user);
  if (unsupported !== undefined) {
    throw noCredentials(`${files}: ${unsupported} is not supported; use \`kubectl proxy\` and its address`);
  }
}

function unsupportedOf(cluster: Cluster, user: User | null): string | undefined {
  if (cluster.proxyUrl) return 'proxy-url';
  if (user?.username) return 'basic authentication';
  if (user?.impersonateUser) return 'impersonation (as)';
  return undefined;
}

function serverOf(cluster: Cluster | null): URL {
  const server = URL.parse(cluster?.server ?? '');
  if (server === null) throw noCredentials(`the server of cluster ${cluster?.name} is not a URL`);
  return server;
}

async function authenticate(config: KubeConfig): Promise<RequestOptions> {
  const user = config.getCurrentUser();
  const command: string | undefined = user?.exec?.command;
  if (user?.exec) passExecInfo(user, config.getCurrentCluster());
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
    return options;
  } catch {
    // The cause is not kept: it is what the plugin wrote on its way out, or a quoted file.
    throw command === undefined
      ? noCredentials('a certificate, key or token that the kubeconfig names cannot be read')
      : noCredentials(`the credential plugin ${command} failed: run it by hand to see why`);
  }
}

/** Plugins of client.authentication.k8s.io expect to be told about the call; client-node does not. */
function passExecInfo(user: User, cluster: Cluster | null): void {
  const { exec } = user;
  const name = 'KUBERNETES_EXEC_INFO';
  const others = ((exec.env ?? []) as { name: string }[]).filter((variable) => variable.name !== name);
  const info = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec.provideClusterInfo ? { cluster: execCluster(cluster) } : {}) },
  };
  exec.env = [...others, { name, value: JSON.stringify(info) }];
}

function execCluster(cluster: Cluster | null): Readonly<Record<string, unknown>> {
  return {
    server: cluster?.server,
    'tls-server-name': cluster?.tlsServerName,
    'insecure-skip-tls-verify': cluster?.skipTLSVerify,
    'certificate-authority-data': cluster?.caData,
  };
}

function tlsOf(options: RequestOptions): ServerTls {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const present = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  return Object.fromEntries(present.filter(([, value]) => value !== undefined));
}

function noCredentials(message: string): KubeError {
  return new KubeError('KUBE_NO_CREDENTIALS', message);
}
