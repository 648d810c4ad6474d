/** Under which names an agent is reached: what a proof may say that its request is for. */

import type { ServerPolicy } from '../domain/token/state/server-policy.ts';
import { LoadFailed } from './load-failed.ts';

/**
 * All of them, as `Verifier` wants them.
 *
 * @param server Undefined for an agent that its policy says nothing about.
 * @param origins Further ones, as `https://agents.example.org`: of a gateway.
 * @throws LoadFailed for what is no origin.
 */
export function authoritiesOf(
  server: ServerPolicy | undefined,
  origins: readonly string[],
): ReadonlySet<string> {
  const { hosts = [], port } = server ?? {};
  return new Set([...hosts, ...hosts.map((host) => `${host}:${port}`), ...origins.map(hostOf)]);
}

function hostOf(origin: string): string {
  const url = URL.parse(origin);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.origin !== origin.toLowerCase().replace(/\/$/, '')
  )
    throw new LoadFailed(
      'option_invalid',
      'Each of `origins` is like https://agents.example.org, without path.',
    );
  return url.host;
}
