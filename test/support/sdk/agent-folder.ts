/**
 * A small swarm on this machine: a real authority, real certificates, keys and signed bundles, and for each agent the folder
 * that its pod would mount. Whatever is changed here comes into the folders with the next `publish`.
 */

import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BundleSigner, signBundle } from '../../../src/crypto/jose/bundle-signature.ts';
import type { IssuedLeaf } from '../../../src/crypto/leaf.ts';
import { combinedPem } from '../../../src/crypto/pem.ts';
import type { BundleClaims } from '../../../src/domain/bundle/claims.ts';
import type { Capability } from '../../../src/domain/capability/capability.ts';
import type { TokenAlgorithm } from '../../../src/domain/token/claims.ts';
import type { Binding, TokenEdge } from '../../../src/domain/token/state/policy-file.ts';
import type { RevocationsFile } from '../../../src/domain/token/state/revocations-file.ts';
import type { ServerPolicy } from '../../../src/domain/token/state/server-policy.ts';
import { LocalAuthority, TRUST_DOMAIN } from './local-authority.ts';
import { LocalKeys } from './local-keys.ts';
import { type FolderFiles, swapFolder } from './mounted-folder.ts';

/** An agent of the swarm. */
export interface SwarmAgent {
  /** Of its AgentIdentity and its ServiceAccount. */
  readonly name: string;
  /** Default `ai-agents`. */
  readonly namespace?: string;
  /** Default: whether no edge leads to it. */
  readonly originate?: boolean;
  /** What its server says, beside the default: port 8443, its names, SDK, Memory, Enforce, every path. */
  readonly server?: Partial<ServerPolicy>;
}

/** An edge, between names of agents. */
export interface SwarmEdge {
  readonly from: string;
  readonly to: string;
  readonly capabilities: readonly Capability[];
  /** Default `Certificate`. */
  readonly binding?: Binding;
  /** Default 2. */
  readonly maxDepth?: number;
  /** Default 120 s. */
  readonly maxTtlSeconds?: number;
  /** Default 1. */
  readonly maxUses?: number;
  /** Default 16. */
  readonly maxChildren?: number;
  readonly taskTtlSeconds?: number;
}

/** What the swarm is made of; all of it may be left out. */
export interface SwarmOptions {
  readonly agents?: readonly SwarmAgent[];
  readonly edges?: readonly SwarmEdge[];
  /** Milliseconds since the Unix epoch; default is the clock of this machine. */
  readonly nowMs?: () => number;
  /** Of the signing keys; default ES256. */
  readonly algorithm?: TokenAlgorithm;
}

/** Where files are to differ from good ones. */
export interface FileChanges {
  /** Of files of the bundle, before it is signed; undefined for one that is to be left out. */
  readonly bundle?: Readonly<Record<string, string | undefined>>;
  readonly claims?: Partial<BundleClaims>;
  readonly signer?: BundleSigner;
  /** Of all files, by path, after the bundle was signed; undefined for a file that is to be missing. */
  readonly files?: Readonly<Record<string, string | Uint8Array | undefined>>;
}

const NAMESPACE = 'ai-agents';
const BUNDLE_SECONDS = 1800;
const GET_AND_APPLY: readonly Capability[] = [
  { name: 'kubectl_apply', resources: ['namespaces/staging/*'] },
  { name: 'kubectl_get', resources: ['namespaces/staging/*'] },
];

/** The worked example: coordinator to deployer to validator; a stranger whom nobody may call and who may call nobody. */
const EXAMPLE_AGENTS: readonly SwarmAgent[] = [
  { name: 'agent-coordinator' },
  { name: 'agent-deployer' },
  { name: 'agent-validator' },
  { name: 'agent-stranger' },
];
const EXAMPLE_EDGES: readonly SwarmEdge[] = [
  { from: 'agent-coordinator', to: 'agent-deployer', capabilities: GET_AND_APPLY },
  {
    from: 'agent-deployer',
    to: 'agent-validator',
    capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/*'] }],
    binding: 'Key',
  },
];

interface Member extends Required<Pick<SwarmAgent, 'name' | 'namespace'>> {
  readonly id: string;
  readonly spec: SwarmAgent;
  readonly folder: string;
  readonly keys: LocalKeys;
  leaf: IssuedLeaf;
}

/** The swarm. Close it, so that its folders go. */
export class LocalSwarm {
  readonly root: string = mkdtempSync(join(tmpdir(), 'agent-trust-swarm-'));
  /** What is allowed; replace it and publish. */
  edges: readonly SwarmEdge[];
  /** Who is cut off and what is dead; replace it and publish. Agents are SPIFFE IDs here. */
  revocations: Omit<RevocationsFile, 'version'> = { suspended: [], notBefore: new Map(), revocations: [] };
  /** Of the bundle written last. */
  sequence = 0;
  readonly #nowMs: () => number;
  readonly #members = new Map<string, Member>();
  readonly #authority: LocalAuthority;
  #bundleSigner: BundleSigner;

  /** Makes it and publishes it once. */
  constructor({ agents, edges, nowMs, algorithm }: SwarmOptions = {}) {
    this.edges = edges ?? EXAMPLE_EDGES;
    this.#nowMs = nowMs ?? Date.now;
    this.#authority = new LocalAuthority(this.#nowMs);
    this.#bundleSigner = this.#authority.newBundleSigner();
    for (const spec of agents ?? EXAMPLE_AGENTS) {
      const { name, namespace = NAMESPACE } = spec;
      const id = `spiffe://${TRUST_DOMAIN}/ns/${namespace}/sa/${name}`;
      const leaf = this.#authority.newLeaf(name, namespace);
      const keys = new LocalKeys(this.#nowMs, algorithm ?? 'ES256');
      const folder = join(this.root, namespace, name);
      this.#members.set(name, { name, namespace, id, spec, folder, leaf, keys });
    }
    this.publish();
  }

  /** SPIFFE ID of an agent. */
  id(name: string): string {
    return this.#member(name).id;
  }

  /** The folder to give to `loadAgent`. */
  folder(name: string): string {
    return this.#member(name).folder;
  }

  /** Certificate and key of an agent, and all roots, PEM; the newest, published or not. */
  certificate(name: string): { readonly cert: string; readonly key: string; readonly ca: string } {
    const { certificatePem, privateKeyPem: key } = this.#member(name).leaf;
    return { cert: certificatePem, key, ca: this.#authority.rootsPem };
  }

  /** Issues the certificate of an agent anew, with a new key. */
  renewCertificate(name: string): void {
    const member = this.#member(name);
    member.leaf = this.#authority.newLeaf(name, member.namespace);
  }

  /** Puts the newest certificate of an agent, which is of the newest generation, on the list of revoked ones. */
  revokeCertificate(name: string): void {
    this.#authority.revoke(this.#member(name).leaf);
  }

  /** A certificate with the name of the newest generation that anybody can make, PEM. */
  get impostor(): string {
    return this.#authority.impostor;
  }

  /** The signing keys of an agent; what is done to them is published later. */
  keys(name: string): LocalKeys {
    return this.#member(name).keys;
  }

  /** Makes a new generation that is trusted beside the others and signs whatever is issued from now on. */
  addAuthority(): void {
    this.#authority.addGeneration();
    this.#bundleSigner = this.#authority.newBundleSigner();
  }

  /** The same, one that stands below a root. */
  addIntermediate(): void {
    this.#authority.addIntermediate();
    this.#bundleSigner = this.#authority.newBundleSigner();
  }

  /** Trusts the newest generation alone. Certificates of earlier ones count no more. */
  dropOldAuthorities(): void {
    this.#authority.dropOldGenerations();
  }

  /** Signs a bundle of this moment, and swaps the folders of all agents, or of those that are named. */
  publish(...names: readonly string[]): void {
    this.sequence = Math.max(this.sequence + 1, Math.floor(this.#nowMs()));
    for (const { name, folder } of this.#members.values())
      if (names.length === 0 || names.includes(name)) swapFolder(folder, this.files(name));
  }

  /** All files of an agent's folder, under the sequence of the bundle written last. */
  files(name: string, changes: FileChanges = {}): FolderFiles {
    const { leaf, keys, namespace } = this.#member(name);
    const bundle = whole({ ...this.#bundleFiles(namespace), ...changes.bundle });
    const written: Record<string, string | Uint8Array | undefined> = {
      'tls/tls.crt': leaf.certificatePem,
      'tls/tls.key': leaf.privateKeyPem,
      'tls/ca.crt': this.#authority.rootsPem,
      'tls/tls-combined.pem': combinedPem(leaf.certificatePem, leaf.privateKeyPem),
      ...keys.files(),
      ...Object.fromEntries(Object.entries(bundle).map(([file, text]) => [`bundle/${file}`, text])),
      'bundle/bundle.jws': this.#sign(namespace, bundle, changes),
      ...changes.files,
    };
    return whole(written);
  }

  /** A signer of bundles of the newest generation, other than the one in use. */
  newBundleSigner(): BundleSigner {
    return this.#authority.newBundleSigner();
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #sign(
    namespace: string,
    bundle: Readonly<Record<string, string>>,
    { claims, signer }: FileChanges,
  ): string {
    const iat = Math.floor(this.#nowMs() / 1000);
    const files = new Map(Object.entries(bundle).map(([file, text]) => [file, sha256(text)]));
    const good = { sequence: this.sequence, iat, exp: iat + BUNDLE_SECONDS, aud: namespace, files };
    return signBundle({ ...good, ...claims }, signer ?? this.#bundleSigner);
  }

  #bundleFiles(namespace: string): Readonly<Record<string, string>> {
    const members = [...this.#members.values()];
    const policy = {
      version: 1,
      clusterDomain: 'cluster.local',
      agents: Object.fromEntries(members.map((member) => [member.id, this.#policyOf(member, namespace)])),
      edges: this.edges.map((edge) => this.#edge(edge)),
    };
    const issuers = members.map(({ id, keys }) => [id, { keys: keys.published() }]);
    const { suspended, notBefore, revocations } = this.revocations;
    return {
      'ca.crt': this.#authority.rootsPem,
      'ca.crl': this.#authority.crlPem,
      'jwks.json': JSON.stringify({ version: 1, issuers: Object.fromEntries(issuers) }),
      'policy.json': JSON.stringify(policy),
      'revocations.json': JSON.stringify({
        version: 1,
        suspended,
        notBefore: Object.fromEntries(notBefore),
        revocations,
      }),
    };
  }

  #policyOf({ name, namespace, spec }: Member, bundleNamespace: string): object {
    const service = `${name}.${namespace}.svc`;
    const server: ServerPolicy = {
      port: 8443,
      hosts: [name, `${name}.${namespace}`, service, `${service}.cluster.local`],
      verifier: 'SDK',
      replay: 'Memory',
      enforcement: 'Enforce',
      routes: (['GET', 'POST'] as const).map((method) => ({ method, path: '/{**}', accepts: 'Capability' })),
      ...spec.server,
    };
    const originate = spec.originate ?? !this.edges.some(({ to }) => to === name);
    return { name: `${namespace}/${name}`, originate, ...(namespace === bundleNamespace ? { server } : {}) };
  }

  #edge(edge: SwarmEdge): TokenEdge {
    const { capabilities, maxDepth = 2, maxTtlSeconds = 120, maxUses = 1, taskTtlSeconds } = edge;
    const grant = {
      policy: `${NAMESPACE}/swarm` as const,
      rule: this.edges.indexOf(edge),
      capabilities,
      maxDepth,
      tokens: { maxTtlSeconds, maxUses },
      ...(taskTtlSeconds === undefined ? {} : { taskTtlSeconds }),
    };
    const { binding = 'Certificate', maxChildren = 16 } = edge;
    return { from: this.id(edge.from), to: this.id(edge.to), binding, maxChildren, grants: [grant] };
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`no agent ${name} in this swarm`);
    return member;
  }
}

function whole<T>(files: Readonly<Record<string, T | undefined>>): Record<string, T> {
  const entries = Object.entries(files).filter(([, content]) => content !== undefined);
  return Object.fromEntries(entries) as Record<string, T>;
}

function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
