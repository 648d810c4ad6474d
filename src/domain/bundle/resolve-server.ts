/** How an agent is called, from its spec to what policy.json says of it. */

import type { Account } from '../mesh/model.ts';
import {
  type ServerInput as MeshServerInput,
  type ResolvedServer,
  resolveServer,
} from '../mesh/resolve-server.ts';
import { isResourceTemplate, type ServerPolicy, type ServerRoute } from '../token/state/server-policy.ts';

/** The part of the spec of an AgentIdentity that says it, as people write it. */
export interface ServerInput extends Omit<MeshServerInput, 'server'> {
  readonly server?: Omit<NonNullable<MeshServerInput['server']>, 'routes'> & {
    readonly verifier?: string;
    readonly replay?: string;
    readonly routes?: readonly RouteInput[];
  };
}

interface RouteInput {
  readonly method: string;
  readonly path: string;
  readonly capability?: string;
  readonly resource?: string;
  readonly accepts?: string;
}

/** Who is called. */
export interface ServedAgent {
  readonly namespace: string;
  readonly name: string;
  readonly clusterDomain: string;
  /** More than one of its pods is ready: what they remember of used tokens has to be shared, whatever the spec says. */
  readonly hasSeveralPods: boolean;
}

const ACCEPTS = ['Capability', 'Access'] as const;
const VERIFIERS = ['SDK', 'Authorizer', 'Service'] as const;
const REPLAYS = ['Memory', 'Shared'] as const;

/** Fills in what is left out. Where a value cannot be served there are no routes: nobody may call the agent then. */
export function serverPolicyOf(
  { namespace, name, clusterDomain, hasSeveralPods }: ServedAgent,
  spec: ServerInput,
  isAgent: (account: Account) => boolean,
): ServerPolicy {
  const resolved = resolveServer(spec, isAgent);
  const { verifier = 'SDK', replay = 'Memory' } = spec.server ?? {};
  const knownVerifier = VERIFIERS.find((each) => each === verifier);
  const knownReplay = REPLAYS.find((each) => each === replay);
  const routes = routesOf(spec, resolved);
  const isServed =
    resolved.invalidFields.length === 0 &&
    routes !== undefined &&
    knownVerifier !== undefined &&
    knownReplay !== undefined;
  return {
    port: isPort(resolved.port) ? resolved.port : 8443,
    hosts: hostsOf({ namespace, name, clusterDomain }),
    verifier: knownVerifier ?? 'SDK',
    replay: hasSeveralPods ? 'Shared' : (knownReplay ?? 'Shared'),
    enforcement: resolved.isDryRun ? 'DryRun' : 'Enforce',
    routes: isServed ? routes : [],
  };
}

function hostsOf({ namespace, name, clusterDomain }: Omit<ServedAgent, 'hasSeveralPods'>): readonly string[] {
  const service = `${name}.${namespace}.svc`;
  return [name, `${name}.${namespace}`, service, `${service}.${clusterDomain}`];
}

/** Undefined when one of them says what nobody knows. */
function routesOf({ server }: ServerInput, { routes }: ResolvedServer): readonly ServerRoute[] | undefined {
  const inputs = new Map((server?.routes ?? []).map((route) => [`${route.method} ${route.path}`, route]));
  const read = routes.map((route) => {
    const { resource, accepts = 'Capability' } = inputs.get(`${route.method} ${route.path}`) ?? {};
    const known = ACCEPTS.find((each) => each === accepts);
    if (known === undefined || (resource !== undefined && !isResourceTemplate(resource))) return undefined;
    return {
      method: route.method as ServerRoute['method'],
      path: route.path,
      ...(route.capability === undefined ? {} : { capability: route.capability }),
      ...(resource === undefined ? {} : { resource }),
      accepts: known,
    };
  });
  return read.every((route) => route !== undefined) ? read : undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
