/** How an agent is called, as policy.json says it to the agent's own server and to whoever verifies for it. */

import { isCapabilityName } from '../../capability/parse.ts';
import { integer, list, object, oneOf, optional, type Shape, text } from '../../json/shape.ts';

/** A request that callers may make. */
export interface ServerRoute {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** A path, or one with `{name}` or `{*}` for a segment, and `{**}` at its end for the rest. */
  readonly path: string;
  /** What the caller must be granted; absent means that the application asks. */
  readonly capability?: string;
  /** On what; `{name}` stands for the segment of that name. Absent means that the application asks. */
  readonly resource?: string;
  /** `Capability`: a capability token. `Access`: an access token of a caller with an edge. */
  readonly accepts: 'Capability' | 'Access';
}

/** The server of an agent. */
export interface ServerPolicy {
  readonly port: number;
  /** All its names in DNS, the shortest first, without port. */
  readonly hosts: readonly string[];
  /** Who consumes tokens for it. */
  readonly verifier: 'SDK' | 'Authorizer' | 'Service';
  /** Where used tokens are remembered. */
  readonly replay: 'Memory' | 'Shared';
  /** `DryRun`: refusals are only recorded. */
  readonly enforcement: 'Enforce' | 'DryRun';
  /** What is not here may not be requested; none at all while the spec of the agent cannot be served. */
  readonly routes: readonly ServerRoute[];
}

const HOST = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;
const PATH = /^\/[A-Za-z0-9._~!$&'()+,;=:@{}*/-]*$/;
const RESOURCE_TEMPLATE = /^\/?([A-Za-z0-9._-]+|\{[A-Za-z0-9_]+\})(\/([A-Za-z0-9._-]+|\{[A-Za-z0-9_]+\}))*$/;
const MAX_PATH_LENGTH = 256;

/** Whether a text is a resource of a route: literal segments, and `{name}` for segments of the path. */
export function isResourceTemplate(value: string): boolean {
  return value.length <= MAX_PATH_LENGTH && RESOURCE_TEMPLATE.test(value);
}

const route: Shape<ServerRoute> = object<ServerRoute>({
  method: oneOf('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  path: text((path) => path.length <= MAX_PATH_LENGTH && PATH.test(path)),
  capability: optional(text(isCapabilityName)),
  resource: optional(text(isResourceTemplate)),
  accepts: oneOf('Capability', 'Access'),
});

/** The shape of `server`. */
export const serverPolicy: Shape<ServerPolicy> = object<ServerPolicy>({
  port: integer(1, 65_535),
  hosts: list(
    text((host) => host.length <= 253 && HOST.test(host)),
    { least: 1, most: 16 },
  ),
  verifier: oneOf('SDK', 'Authorizer', 'Service'),
  replay: oneOf('Memory', 'Shared'),
  enforcement: oneOf('Enforce', 'DryRun'),
  routes: list(route, { most: 64 }),
});
