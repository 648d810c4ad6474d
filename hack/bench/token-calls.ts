/** Connections and calls from one agent to another over loopback, mutual TLS on both sides. */

import { readFileSync } from 'node:fs';
import { createServer, Agent as HttpsAgent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Agent } from '../../src/sdk/agent.ts';
import { type BenchRow, percentile } from './row.ts';

const HANDSHAKES = 300;
const CALLS = 2_000;
const WARM_UP = 100;
const HOST = 'agent-deployer';
const BODY = '{"task":"show the web deployment"}';
const READ = [{ name: 'kubectl_get', resources: ['namespaces/staging/deployments/web'] }];

/** Who calls whom. The caller was loaded with `callOptions`. */
export interface Pair {
  readonly caller: Agent;
  readonly server: Agent;
  /** Where their files are: `ai-agents/<name>`. */
  readonly folder: string;
}

let calledPort = 0;

/** Whatever an agent is called, it listens here. */
export const callOptions = {
  connectTo: (): { readonly host: string; readonly port: number } => ({
    host: '127.0.0.1',
    port: calledPort,
  }),
} as const;

/** Medians, beside node:https with the same certificates and no tokens. */
export async function callRows({ caller, server, folder }: Pair): Promise<readonly BenchRow[]> {
  const serving = await server.serve(() => new Response('{}'), { port: 0, host: '127.0.0.1' });
  const bare = await listenBare(folder);
  const files = filesOf(folder, 'agent-coordinator');
  calledPort = serving.port;
  try {
    const handshake = await median(HANDSHAKES, () => handshakeWith(serving.port, files));
    const handshakeFloor = await median(HANDSHAKES, () => handshakeWith(bare.port, files));
    const pooled = await median(CALLS, () => call(caller));
    const agent = new HttpsAgent({ ...files, keepAlive: true });
    const pooledFloor = await median(CALLS, () => bareCall(bare.port, agent));
    agent.destroy();
    return [
      {
        name: 'handshake',
        value: handshake,
        unit: 'ms',
        floor: handshakeFloor,
        ratio: handshake / handshakeFloor,
        goal: '2 to 5 ms is what people expect',
      },
      { name: 'pooled-call', value: pooled, unit: 'ms', floor: pooledFloor, ratio: pooled / pooledFloor },
    ];
  } finally {
    await serving.close();
    bare.close();
  }
}

interface Files {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

function filesOf(folder: string, name: string): Files {
  const read = (file: string): Buffer => readFileSync(join(folder, 'ai-agents', name, 'tls', file));
  return { cert: read('tls.crt'), key: read('tls.key'), ca: read('ca.crt') };
}

async function listenBare(folder: string): Promise<{ readonly port: number; readonly close: () => void }> {
  const options = { ...filesOf(folder, HOST), requestCert: true, minVersion: 'TLSv1.3' } as const;
  const server = createServer(options, (incoming, response) => {
    incoming.resume().on('end', () => response.end('{}'));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => server.closeAllConnections() ?? server.close(),
  };
}

function handshakeWith(port: number, files: Files): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(
    { ...files, host: '127.0.0.1', port, servername: HOST, minVersion: 'TLSv1.3' },
    () => {
      socket.destroy();
      resolve();
    },
  );
  socket.once('error', reject);
  return promise;
}

async function call(caller: Agent): Promise<void> {
  const answer = await caller.fetch(`https://${HOST}:8443/v1/delegate`, {
    method: 'POST',
    body: BODY,
    delegate: { capabilities: READ },
  });
  if ((await answer.text()) !== '{}') throw new Error('another answer');
}

function bareCall(port: number, agent: HttpsAgent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = { agent, host: '127.0.0.1', port, servername: HOST, method: 'POST', path: '/v1/delegate' };
  const asked = request(options, (response) => response.resume().once('end', resolve));
  asked.once('error', reject);
  asked.end(BODY);
  return promise;
}

/** Milliseconds. */
async function median(count: number, work: () => Promise<void>): Promise<number> {
  const samples: number[] = [];
  for (let at = 0; at < WARM_UP + count; at++) {
    const startedMs = performance.now();
    await work();
    samples.push(performance.now() - startedMs);
  }
  return percentile(samples.slice(WARM_UP), 0.5);
}
