/** Runs kubectl, apart from whatever configuration and cache the person at the keyboard has. */

import { execFile } from 'node:child_process';
import { CommandError } from './command-error.ts';

/** What a run of kubectl gave. */
export interface KubectlResult {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Further wishes for a run of kubectl. */
export interface KubectlOptions {
  readonly stdin?: string;
  /** Whether a failure is a result; without it a failure is thrown. */
  readonly mayFail?: boolean;
}

/** Which kubectl, and on whose behalf. */
export interface KubectlContext {
  /** Absolute path of kubectl. */
  readonly program: string;
  readonly kubeconfigPath: string;
  /** Folder for what kubectl remembers about an API server. */
  readonly cacheDirectory: string;
}

/**
 * Runs kubectl once.
 *
 * @throws CommandError `KUBECTL_FAILED` with what kubectl says on standard error, unless `mayFail`.
 */
export function runKubectl(
  { program, kubeconfigPath, cacheDirectory }: KubectlContext,
  args: readonly string[],
  { stdin, mayFail = false }: KubectlOptions = {},
): Promise<KubectlResult> {
  const { promise, resolve, reject } = Promise.withResolvers<KubectlResult>();
  const env = { ...process.env, KUBECONFIG: kubeconfigPath, KUBECACHEDIR: cacheDirectory, KUBERC: 'off' };
  const child = execFile(program, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
    const exitStatus = error === null ? 0 : (child.exitCode ?? 1);
    if (exitStatus === 0 || mayFail) resolve({ exitStatus, stdout, stderr });
    else reject(new CommandError('KUBECTL_FAILED', `kubectl ${args.join(' ')}: ${stderr.trim()}`));
  });
  // kubectl may end before it has read everything; its own message says why
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  return promise;
}
