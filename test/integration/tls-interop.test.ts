/** Certificates of ours in real TLS stacks: Node's and Python's, both ways round, with and without a good client. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
import { type KeyProfile, leafProfile, leafValidity } from '../../src/domain/certificate/profile.ts';

/** What a client tells: what the server said to it and whom it took the server for, or that it got no answer. */
type Outcome = { readonly answer: string; readonly server: readonly string[] } | { readonly refused: true };

/** What both ends of one call tell. `greeted` are the identities that the server spoke to. */
interface Meeting {
  readonly outcome: Outcome;
  readonly greeted: readonly (readonly string[])[];
}

interface TestAuthority {
  readonly certificatePem: string;
  readonly signer: LeafSigner;
  readonly notAfterMs: number;
}

/** A directory with `ca.crt`, and `tls.crt` and `tls.key` unless the side has no certificate; the same as options. */
interface Side {
  readonly directory: string;
  readonly options: SecureContextOptions;
}

/** A running server; `stop` ends it, may be called again, and gives the identities it has greeted. */
interface Server {
  readonly port: number;
  stop(): Promise<readonly (readonly string[])[]>;
}

const PEER = fileURLToPath(new URL('tls-peer.py', import.meta.url));
const TIMEOUT_MS = 20_000;
const P256: KeyProfile = { algorithm: 'ECDSA', size: 256 };
const KEYS: readonly KeyProfile[] = [
  P256,
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'RSA', size: 2048 },
];
const SERVER_NAME = 'agent-deployer.ai-agents.svc';
const SERVER_ID = 'spiffe://example.org/ns/ai-agents/sa/agent-deployer';
const CLIENT_ID = 'spiffe://example.org/ns/ai-agents/sa/agent-coordinator';

const servers = { node: nodeServer, python: pythonServer } as const;
const clients = { node: nodeClient, python: pythonClient } as const;
type Stack = keyof typeof servers;

const met: Meeting = {
  outcome: { answer: `hello ${CLIENT_ID}`, server: [SERVER_ID] },
  greeted: [[CLIENT_ID]],
};
const refused: Meeting = { outcome: { refused: true }, greeted: [] };

describe('mutual TLS with issued certificates', () => {
  const ours = authority();
  const foreign = authority();
  let directory = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agent-trust-tls-'));
  });

  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  for (const serverStack of ['node', 'python'] as const) {
    for (const clientStack of ['node', 'python'] as const) {
      describe(`a ${clientStack} client and a ${serverStack} server`, () => {
        const stacks = { serverStack, clientStack };

        for (const key of KEYS) {
          it(`accepts each other's ${key.algorithm} ${key.size} certificates`, async () => {
            const server = await side(directory, ours, await issue(ours, 'agent-deployer', key));
            const client = await side(directory, ours, await issue(ours, 'agent-coordinator', key));
            expect(await meet(stacks, server, client)).to.deep.equal(met);
          });
        }

        it('rejects a client without certificate', async () => {
          const server = await side(directory, ours, await issue(ours, 'agent-deployer'));
          const client = await side(directory, ours, undefined);
          expect(await meet(stacks, server, client)).to.deep.equal(refused);
        });

        it('rejects a client of another authority', async () => {
          const server = await side(directory, ours, await issue(ours, 'agent-deployer'));
          const client = await side(directory, ours, await issue(foreign, 'agent-coordinator'));
          expect(await meet(stacks, server, client)).to.deep.equal(refused);
        });

        it('rejects a server of another authority', async () => {
          const server = await side(directory, ours, await issue(foreign, 'agent-deployer'));
          const client = await side(directory, ours, await issue(ours, 'agent-coordinator'));
          expect(await meet(stacks, server, client)).to.deep.equal(refused);
        });

        it('rejects a server with the name of another agent', async () => {
          const server = await side(directory, ours, await issue(ours, 'agent-analyst'));
          const client = await side(directory, ours, await issue(ours, 'agent-coordinator'));
          expect(await meet(stacks, server, client)).to.deep.equal(refused);
        });
      });
    }
  }

  it('accepts both generations while two are in the bundle', async () => {
    const bundle = { ...ours, certificatePem: foreign.certificatePem + ours.certificatePem };
    const server = await side(directory, bundle, await issue(ours, 'agent-deployer'));
    const client = await side(directory, bundle, await issue(foreign, 'agent-coordinator'));
    for (const clientStack of ['node', 'python'] as const) {
      expect(await meet({ serverStack: 'python', clientStack }, server, client)).to.deep.equal(met);
      expect(await meet({ serverStack: 'node', clientStack }, server, client)).to.deep.equal(met);
    }
  });
});

/** Starts the server, lets the client call once, and ends the server whatever happens. */
async function meet(
  { serverStack, clientStack }: { readonly serverStack: Stack; readonly clientStack: Stack },
  serverSide: Side,
  clientSide: Side,
): Promise<Meeting> {
  const server = await servers[serverStack](serverSide);
  try {
    const outcome = await clients[clientStack](clientSide, server.port);
    return { outcome, greeted: await server.stop() };
  } finally {
    await server.stop();
  }
}

function authority(): TestAuthority {
  const { certificatePem, privateKeyPem } = createAuthority({
    trustDomain: 'example.org',
    nowMs: Date.now(),
  });
  const read = readAuthority({
    certificatePem: Buffer.from(certificatePem),
    privateKeyPem: Buffer.from(privateKeyPem),
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return { certificatePem, signer: new LeafSigner(read.authority), notAfterMs: read.authority.notAfterMs };
}

/** A leaf for an agent of namespace ai-agents, made as the operator makes it. */
async function issue({ signer, notAfterMs }: TestAuthority, name: string, key = P256): Promise<IssuedLeaf> {
  const decided = leafProfile(
    {
      name,
      namespace: 'ai-agents',
      serviceAccountName: name,
      durationMs: 600_000,
      keyAlgorithm: key.algorithm,
      keySize: key.size,
      extraDnsNames: [],
    },
    { trustDomain: 'example.org', clusterDomain: 'cluster.local' },
  );
  if (decided.kind === 'refuse') throw new Error(decided.message);
  const { profile } = decided;
  const times = leafValidity({
    profile,
    nowMs: Date.now(),
    authorityNotAfterMs: notAfterMs,
    notBeforeFloorMs: undefined,
  });
  if (times.kind === 'refuse') throw new Error(times.message);
  return signer.issueLeaf(profile, times.validity, await generateKeyPair(profile.key));
}

async function side(
  parent: string,
  { certificatePem: ca }: Pick<TestAuthority, 'certificatePem'>,
  leaf: IssuedLeaf | undefined,
): Promise<Side> {
  const directory = await mkdtemp(join(parent, 'side-'));
  await writeFile(join(directory, 'ca.crt'), ca);
  if (leaf === undefined) return { directory, options: { ca } };
  await writeFile(join(directory, 'tls.crt'), leaf.certificatePem);
  await writeFile(join(directory, 'tls.key'), leaf.privateKeyPem);
  return { directory, options: { ca, cert: leaf.certificatePem, key: leaf.privateKeyPem } };
}

async function nodeServer({ options }: Side): Promise<Server> {
  const greeted: (readonly string[])[] = [];
  const server = createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (socket) => {
    const names = uris(socket);
    greeted.push(names);
    socket.on('error', () => {}); // the client may be gone already
    socket.end(`hello ${names.join(' ')}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
      return greeted;
    },
  };
}

async function nodeClient({ options }: Side, port: number): Promise<Outcome> {
  const socket = connect({
    ...options,
    host: '127.0.0.1',
    port,
    servername: SERVER_NAME,
    timeout: TIMEOUT_MS,
  });
  socket.on('timeout', () => socket.destroy(new Error('no answer in time')));
  try {
    await once(socket, 'secureConnect');
    const server = uris(socket);
    const answer = (await socket.toArray()).join('');
    return answer === '' ? { refused: true } : { answer, server };
  } catch {
    return { refused: true };
  } finally {
    socket.destroy();
  }
}

async function pythonServer({ directory }: Side): Promise<Server> {
  const child = spawn('python3', [PEER, 'server', directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const greeted: (readonly string[])[] = [];
  const ended = once(child, 'exit');
  const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined)]);
  if (first === undefined) throw new Error('the Python server ended before it listened');
  lines.on('line', (line) => {
    const said = JSON.parse(line) as { readonly greeted?: readonly string[] };
    if (said.greeted !== undefined) greeted.push(said.greeted);
  });
  const read = once(lines, 'close');
  return {
    port: (JSON.parse(String(first[0])) as { readonly port: number }).port,
    stop: async () => {
      child.stdin.end();
      await Promise.all([ended, read]);
      return greeted;
    },
  };
}

async function pythonClient({ directory }: Side, port: number): Promise<Outcome> {
  const child = spawn('python3', [PEER, 'client', directory, String(port), SERVER_NAME], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  });
  const said = JSON.parse((await child.stdout.toArray()).join('')) as Outcome;
  return 'answer' in said ? said : { refused: true };
}

function uris(socket: TLSSocket): readonly string[] {
  const names = socket.getPeerX509Certificate()?.subjectAltName ?? '';
  return names
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length));
}
