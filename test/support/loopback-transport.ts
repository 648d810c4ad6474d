/** A transport to a loopback server, and a resource type to ask for. */

import type { Credentials } from '../../src/kube/credentials.ts';
import type { ResourceType } from '../../src/kube/object.ts';
import { Transport, type TransportOptions } from '../../src/kube/transport.ts';
import { type Answerer, type LoopbackServer, startLoopbackServer } from './loopback-server.ts';

/** A namespaced type that no test needs to know more of. */
export const WIDGET: ResourceType = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

/** What a test may change. */
export interface LoopbackOptions extends Partial<TransportOptions> {
  readonly tls?: boolean;
}

/** Both ends. */
export interface Loopback {
  readonly server: LoopbackServer;
  readonly transport: Transport;
  close(): Promise<void>;
}

/** Credentials for a loopback server. */
export function loopbackCredentials(server: LoopbackServer): Credentials {
  return {
    server: server.url,
    tls: server.ca === undefined ? {} : { ca: server.ca },
    namespace: undefined,
    bearerToken: async () => 'token',
    invalidate: () => {},
  };
}

/** Starts a server and connects to it; waits for retries take no time unless `wait` says otherwise. */
export async function startLoopback(answer: Answerer, options: LoopbackOptions = {}): Promise<Loopback> {
  const { tls = true, ...rest } = options;
  const server = await startLoopbackServer(answer, { tls });
  const transport = new Transport({
    credentials: loopbackCredentials(server),
    product: { name: 'widget-controller', version: '1.2.3' },
    connections: 4,
    wait: async () => {},
    ...rest,
  });
  return {
    server,
    transport,
    async close() {
      await transport.close();
      await server.close();
    },
  };
}
