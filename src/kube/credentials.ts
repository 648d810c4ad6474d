/** Where the API server is and who we are to it: inside a cluster, or by kubeconfig. */

import { access, readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { KubeError } from './errors.ts';
import type { ServerTls } from './kubeconfig.ts';
import { openKubeconfig, resolveKubeconfig } from './kubeconfig.ts';
import { Refreshed } from './refreshed.ts';

/** Where a pod finds its service account. */
const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a transport needs to connect and to authenticate. */
export interface Credentials {
  /** With a path if the server lives below one. */
  readonly server: URL;
  /** For new connections; another object once certificates were replaced. */
  readonly tls: ServerTls;
  /** The namespace this process or context belongs to. */
  readonly namespace: string | undefined;
  /** The token for one request, at most a minute old; undefined when none is used. */
  bearerToken(): Promise<string | undefined>;
  /** Says that the server refused the token: the next one is loaded anew. */
  invalidate(): void;
}

/** The environment variables that are looked at. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Where to look; everything defaults to this process. */
export interface CredentialSources {
  /** A kubeconfig named by the user; wins over everything. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly env?: Environment;
  /** The mounted service account. */
  readonly directory?: string;
  readonly clock?: Clock;
}

/**
 * The named kubeconfig, else `KUBECONFIG`, else the pod's service account, else `~/.kube/config`. A named context
 * means a kubeconfig.
 *
 * @throws KubeError KUBE_NO_CREDENTIALS saying what is missing.
 */
export async function loadCredentials(sources: CredentialSources = {}): Promise<Credentials> {
  const env = sources.env ?? process.env;
  const named = sources.kubeconfig ?? env['KUBECONFIG'];
  if (!named && !sources.context && env['KUBERNETES_SERVICE_HOST']) return inClusterCredentials(sources);
  return kubeconfigCredentials({ ...sources, kubeconfig: named });
}

/**
 * The service account of the pod this process runs in; token and CA are read again every minute.
 *
 * @throws KubeError KUBE_NO_CREDENTIALS
 */
export async function inClusterCredentials(sources: CredentialSources = {}): Promise<Credentials> {
  const { env = process.env, directory = SERVICE_ACCOUNT_DIRECTORY, clock = systemClock } = sources;
  const server = inClusterServer(env);
  const files = new Refreshed(() => readServiceAccount(directory), clock);
  let tls: ServerTls = { ca: (await files.get()).ca };
  return {
    server,
    namespace: await readFile(join(directory, 'namespace'), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    ),
    get tls() {
      return tls;
    },
    async bearerToken() {
      const { token, ca } = await files.get();
      if (ca !== tls.ca) tls = { ca };
      return token;
    },
    invalidate: () => files.invalidate(),
  };
}

/**
 * The current or named context of a kubeconfig. The files are read again after `invalidate`; a credential plugin is
 * run when its last answer has expired.
 *
 * @throws KubeError KUBE_NO_CREDENTIALS
 */
export async function kubeconfigCredentials(sources: CredentialSources = {}): Promise<Credentials> {
  const { context, clock = systemClock } = sources;
  const source = { paths: await kubeconfigPaths(sources.kubeconfig), context };
  let config = await openKubeconfig(source);
  let reopen = false;
  const access = new Refreshed(async () => {
    if (reopen) config = await openKubeconfig(source);
    reopen = false;
    return resolveKubeconfig(config);
  }, clock);
  let { server, namespace, tls } = await access.get();
  return {
    server,
    namespace,
    get tls() {
      return tls;
    },
    async bearerToken() {
      const current = await access.get();
      if (!isDeepStrictEqual(current.tls, tls)) tls = current.tls;
      return current.token;
    },
    invalidate() {
      reopen = true;
      access.invalidate();
    },
  };
}

function inClusterServer(env: Environment): URL {
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (!host) {
    throw noCredentials('KUBERNETES_SERVICE_HOST is not set: run inside a pod, or name a kubeconfig');
  }
  return new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] || '443'}`);
}

async function readServiceAccount(
  directory: string,
): Promise<{ readonly token: string; readonly ca: string }> {
  const [token, ca] = await Promise.all([
    readMounted(join(directory, 'token')),
    readMounted(join(directory, 'ca.crt')),
  ]);
  return { token, ca };
}

async function readMounted(path: string): Promise<string> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw noCredentials(`cannot read ${path} (${error.code}): the pod needs a mounted service account token`);
  });
  if (content.trim() === '') throw noCredentials(`${path} is empty`);
  return content.trim();
}

/** Of several files in `KUBECONFIG` the absent ones are skipped, as kubectl does. */
async function kubeconfigPaths(named: string | undefined): Promise<readonly string[]> {
  const candidates = named ? named.split(delimiter).filter(Boolean) : [join(homedir(), '.kube', 'config')];
  const present = await Promise.all(
    candidates.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  const paths = candidates.filter((_path, index) => present[index]);
  if (paths.length > 0) return paths;
  throw noCredentials(
    `there is no file ${candidates.join(', ')}: name a kubeconfig, set KUBECONFIG, or run inside a pod`,
  );
}

function noCredentials(message: string): KubeError {
  return new KubeError('KUBE_NO_CREDENTIALS', message);
}
