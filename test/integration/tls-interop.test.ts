/** Certificates of ours in real TLS stacks: Node's and Python's, both ways round, with and without a good client. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createAuthority } from '../../src/crypto/authority.ts';
import { readAuthority } from '../../src/crypto/authority-reader.ts';
import { generateKeyPair } from '../../src/crypto/key-pair.ts';
import { type IssuedLeaf, LeafSigner } from '../../src/crypto/leaf.ts';
import {
  type KeyProfile,
  type LeafProfile,
  leafProfile,
  leafValidity,
} from '../../src/domain/certificate/profile.ts';

/** What a client tells: what the server said to it and whom it took the server for, or that it got no answer. */
type Outcome = { readonly answer: string; readonly server: readonly string[] } | { readonly refused: true };

/** A directory with `ca.crt`, and `tls.crt` and `tls.key` unless the side has no certificate; the same as options. */
interface Side {
  readonly directory: string;
  readonly options: SecureContextOptions;
}

/** A running server; `stop` ends it and gives the identities it has greeted. */
interface Server {
  readonly port: number;
  stop(): Promise<readonly (readonly string[])[]>;
}

const PEER = fileURLToPath(new URL('tls-peer.py', import.meta.url));
const TIMEOUT_MS = 20_000;
const SETTINGS = { trustDomain: 'example.org', clusterDomain: 'cluster.local' } as const;
const KEYS: readonly KeyProfile[] = [
  { algorithm: 'ECDSA', size: 256 },
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'RSA', size: 2048 },
];
const SERVER_NAME = 'agent-deployer.ai-agents.svc';
const SERVER_ID = 'spiffe://example.org/ns/ai-agents/sa/agent-deployer';
const CLIENT_ID = 'spiffe://example.org/ns/ai-agents/sa/agent-coordinator';

const servers = { node: nodeServer, python: pythonServer } as const;
const clients = { node: nodeClient, python: pythonClient } as const;

describe('mutual TLS with issued certificates', function () {
  this.timeout(60_000);
  let directory = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agent-trust-tls-'));
  });

  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  for (const [serverName, startServer] of Object.entries(servers)) {
    for (const [clientName, callServer] of Object.entries(clients)) {
      describe(`a ${clientName} client and a ${serverName} server`, () => {
        for (const key of KEYS) {
          it(`know each other by ${key.algorithm} ${key.size} certificates`, async () => {
            const ours = authority();
            const server = await startServer(await side(directory, ours, { name: 'agent-deployer', key }));
            const outcome = await callServer(
              await side(directory, ours, { name: 'agent-coordinator', key }),
              server.port,
            ).finally(() => (greeted = server.stop()));
            expect(outcome).to.deep.equal({ answer: `hello ${CLIENT_ID}`, server: [SERVER_ID] });
            expect(await greeted).to.deep.equal([[CLIENT_ID]]);
          });
        }
      });
    }
  }
});
