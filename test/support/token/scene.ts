/**
 * The worked example of the tokens: coordinator A delegates to deployer B, B to validator C. Every part of it can be changed
 * on its way; what depends on it (hash of the parent, proof) is made after the change, and signed by the rightful key.
 */

import { generateKeyPairSync, hash } from 'node:crypto';
import { createSigner, encodeHeader, type Signer, signJws } from '../../../src/crypto/jose/signer.ts';
import { TOKEN_CRYPTO } from '../../../src/crypto/jose/token-crypto.ts';
import { readIssuers } from '../../../src/crypto/jose/verifying-key.ts';
import { MemoryReplayStore } from '../../../src/domain/token/replay/memory-store.ts';
import { readPolicyFile, TokenPolicies } from '../../../src/domain/token/state/policy-file.ts';
import { RevocationIndex } from '../../../src/domain/token/state/revocation-index.ts';
import { readRevocationsFile } from '../../../src/domain/token/state/revocations-file.ts';
import type { VerifierState } from '../../../src/domain/token/state/verifier-state.ts';
import type { TokenRequest, Verifier } from '../../../src/domain/token/verify/verifier.ts';

/** JSON to be. */
export type Json = Record<string, unknown>;

const agentId = (name: string): string => `spiffe://cluster.local/ns/ai-agents/sa/agent-${name}`;
export const A: string = agentId('coordinator');
export const B: string = agentId('deployer');
export const C: string = agentId('validator');
export const X: string = agentId('stranger');
export const SERVICE = 'https://agent-trust.agent-trust-system.svc';

/** When A -> B is issued; 20 November 2026, 10:00:00 UTC. */
export const T0 = 1_795_168_800;
/** When C verifies. */
export const NOW: number = T0 + 5;

export function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = createSigner(privateKey);
  if (signer === undefined) throw new Error('not a key to sign with');
  return signer;
}

const SIGNERS: Readonly<Record<string, Signer>> = {
  [A]: newSigner(),
  [B]: newSigner(),
  [C]: newSigner(),
  [X]: newSigner(),
  [SERVICE]: newSigner(),
};

export function signerOf(issuer: unknown): Signer {
  const signer = SIGNERS[String(issuer)] ?? SIGNERS[B];
  if (signer === undefined) throw new Error('no such issuer');
  return signer;
}

/** A JWS before it is signed. */
export interface Draft {
  readonly header: Json;
  readonly payload: Json;
  readonly signer: Signer;
}

const DETAILS = 'https://agenttrust.dev/capability/v1';
export const STAGING: Json = { name: 'kubectl_get', resources: ['namespaces/staging/*'] };
export const WEB: Json = { name: 'kubectl_get', resources: ['namespaces/staging/deployments/web'] };
export const APPLY: Json = { name: 'kubectl_apply', resources: ['namespaces/staging/*'] };

export function details(...capabilities: readonly Json[]): readonly Json[] {
  return [{ type: DETAILS, capabilities }];
}

/** A draft that its issuer signs. */
export function draft(payload: Json): Draft {
  const signer = signerOf(payload['iss']);
  return { header: { typ: 'agent-capability+jwt', alg: signer.algorithm, kid: signer.kid }, payload, signer };
}

export const ROOT_CLAIMS: Json = {
  iss: A,
  sub: A,
  client_id: A,
  aud: B,
  iat: T0,
  exp: T0 + 120,
  jti: '01a1f866-0d01-7be0-9f3f-f7ed220a7e4b',
  txn: '01a1f866-0d00-7ca5-839a-4bf9211c941c',
  authorization_details: details(APPLY, STAGING),
  cnf: { 'x5t#S256': 'lCQGg0n-aDOmYBzynPlZgIsFY66hQ_i_CdESZbJ9NC4' },
  max_uses: 1,
  del_depth: 1,
  del_max_depth: 2,
};

export const LEAF_CLAIMS: Json = {
  iss: B,
  sub: A,
  act: { sub: B },
  client_id: B,
  aud: C,
  iat: T0 + 4,
  exp: T0 + 64,
  jti: '01a1f866-1ca0-7c91-a652-a8efbf27055a',
  txn: '01a1f866-0d00-7ca5-839a-4bf9211c941c',
  authorization_details: details(WEB),
  cnf: { jkt: signerOf(B).kid },
  max_uses: 1,
  del_depth: 2,
  del_max_depth: 2,
};

/** The same hop from the service. */
const SERVICE_LEAF_CLAIMS: Json = {
  ...LEAF_CLAIMS,
  iss: SERVICE,
  jti: '01a1f866-1ca2-7454-a1b3-8ff020194b0c',
  del_path: [{ client_id: A, jti: '01a1f866-0d01-7be0-9f3f-f7ed220a7e4b', iat: T0 }],
};

/** The root of a tree for a user. */
export const USER_ROOT_CLAIMS: Json = {
  ...ROOT_CLAIMS,
  iss: SERVICE,
  sub: '248289761001',
  sub_id: { format: 'iss_sub', iss: 'https://idp.example.org', sub: '248289761001' },
  tctx: { org_id: 'org_42' },
  act: { sub: A },
};

/** Its child. */
export const USER_LEAF_CLAIMS: Json = {
  ...LEAF_CLAIMS,
  sub: '248289761001',
  sub_id: { format: 'iss_sub', iss: 'https://idp.example.org', sub: '248289761001' },
  tctx: { org_id: 'org_42' },
  act: { sub: B, act: { sub: A } },
};

const EDGE = { maxChildren: 16 } as const;
const GRANT = { policy: 'ai-agents/swarm', maxDepth: 2, tokens: { maxTtlSeconds: 120, maxUses: 1 } } as const;

/** An agent as policy.json has it. */
export function agentOf(id: string, originate: boolean): Json {
  return { name: `ai-agents/${id.slice(id.lastIndexOf('/') + 1)}`, originate };
}

export const POLICY: Json = {
  version: 1,
  clusterDomain: 'cluster.local',
  agents: { [A]: agentOf(A, true), [B]: agentOf(B, false), [C]: agentOf(C, false) },
  edges: [
    {
      from: A,
      to: B,
      binding: 'Certificate',
      ...EDGE,
      grants: [{ ...GRANT, rule: 0, capabilities: [APPLY, STAGING] }],
    },
    { from: B, to: C, binding: 'Key', ...EDGE, grants: [{ ...GRANT, rule: 1, capabilities: [STAGING] }] },
  ],
};

export const REVOCATIONS: Json = { version: 1, suspended: [], notBefore: {}, revocations: [] };

export function jwksOf(signers: Readonly<Record<string, Signer>>): Json {
  const issuers = Object.entries(signers).map(([issuer, { publicJwk, kid, algorithm }]) => [
    issuer,
    { keys: [{ ...publicJwk, kid, alg: algorithm, use: 'sig', since: T0 - 3600 }] },
  ]);
  return { version: 1, issuers: Object.fromEntries(issuers) };
}

/** Files of a bundle, and when it ends. */
export interface Bundle {
  readonly jwks: Json;
  readonly policy: Json;
  readonly revocations: Json;
  readonly expiresAtSeconds: number;
}

export const BUNDLE: Bundle = {
  jwks: jwksOf(SIGNERS),
  policy: POLICY,
  revocations: REVOCATIONS,
  expiresAtSeconds: T0 + 1800,
};

function stateOf(bundle: Bundle): VerifierState {
  const issuers = readIssuers(JSON.stringify(bundle.jwks));
  const policy = readPolicyFile(JSON.stringify(bundle.policy));
  const revocations = readRevocationsFile(JSON.stringify(bundle.revocations));
  if (issuers === undefined || policy === undefined || revocations === undefined)
    throw new Error('a file of the bundle is not of its form');
  return {
    issuers,
    policies: new TokenPolicies(policy),
    revocations: new RevocationIndex(revocations),
    expiresAtSeconds: bundle.expiresAtSeconds,
  };
}

const BASE_STATE = stateOf(BUNDLE);

export function verifierAt(self: string, bundle: Bundle = BUNDLE): Verifier {
  const host = `${self.slice(self.lastIndexOf('/') + 1)}.ai-agents.svc:8443`;
  const state = bundle === BUNDLE ? BASE_STATE : stateOf(bundle);
  return { self, authorities: new Set([host]), state, crypto: TOKEN_CRYPTO };
}

/** A store that has seen all since an hour before. */
export function storeAt(nowSeconds: number, sinceSeconds: number = T0 - 3600): MemoryReplayStore {
  let now = sinceSeconds;
  const store = new MemoryReplayStore({ capacity: 1000, now: () => now });
  now = nowSeconds;
  return store;
}

export type Change<T> = (value: T) => T;

/** What to change of the request B -> C. */
export interface Changes {
  readonly root?: Change<Draft>;
  readonly leaf?: Change<Draft>;
  /** The signed leaf; proof and chain fit to what it becomes. */
  readonly leafText?: Change<string>;
  /** The signed parents, nearest first. */
  readonly parents?: Change<readonly string[]>;
  readonly proof?: Change<Draft>;
  readonly request?: (request: TokenRequest) => Partial<TokenRequest>;
}

/** Of which drafts the request consists; without a root the leaf comes alone. */
export interface Story {
  readonly root: Draft | undefined;
  readonly leaf: Draft;
}

const OFFLINE: Story = { root: draft(ROOT_CLAIMS), leaf: draft(LEAF_CLAIMS) };
const hashOf = (compact: string): string =>
  hash('sha256', compact.slice(0, compact.lastIndexOf('.')), 'base64url');
export const FROM_SERVICE: Story = {
  root: undefined,
  leaf: draft({ ...SERVICE_LEAF_CLAIMS, par_hash: hashOf(seal(draft(ROOT_CLAIMS))) }),
};
export const FOR_USER: Story = { root: draft(USER_ROOT_CLAIMS), leaf: draft(USER_LEAF_CLAIMS) };

export function seal({ header, payload, signer }: Draft): string {
  return signJws(encodeHeader(header), JSON.stringify(payload), signer);
}

const same = <T>(value: T): T => value;

/** Puts the request B -> C together. */
export function request(changes: Changes = {}, story: Story = OFFLINE): TokenRequest {
  const root = story.root && seal((changes.root ?? same)(story.root));
  const parents = (changes.parents ?? same)(root === undefined ? [] : [root]);
  const hashed = { ...story.leaf.payload, ...(root === undefined ? {} : { par_hash: hashOf(root) }) };
  const leaf = (changes.leafText ?? same)(seal((changes.leaf ?? same)({ ...story.leaf, payload: hashed })));
  const proof = seal((changes.proof ?? same)(proofFor(leaf)));
  const made: TokenRequest = {
    fields: {
      authorization: [`DPoP ${leaf}`],
      dpop: [proof],
      delegationChain: parents.length === 0 ? [] : [parents.join(', ')],
    },
    method: 'POST',
    path: '/mcp',
    peer: { kind: 'mesh', spiffeId: B },
    asked: { name: 'kubectl_get', resource: 'namespaces/staging/deployments/web' },
    attemptId: 'attempt-1',
    fingerprint: 'fingerprint-1',
  };
  return { ...made, ...changes.request?.(made) };
}

export function proofFor(leaf: string, signer: Signer = signerOf(B)): Draft {
  return {
    header: { typ: 'dpop+jwt', alg: signer.algorithm, jwk: signer.publicJwk },
    payload: {
      htm: 'POST',
      htu: 'http://agent-validator.ai-agents.svc:8443/mcp',
      iat: T0 + 4,
      jti: '01a1f866-1ca1-778e-bb1f-cdb54c493093',
      ath: hash('sha256', leaf, 'base64url'),
    },
    signer,
  };
}

/** Changes claims; one that becomes undefined is left out. */
export function claims(changes: Json): Change<Draft> {
  return (made) => ({ ...made, payload: { ...made.payload, ...changes } });
}

/** Changes members of the header. */
export function header(changes: Json): Change<Draft> {
  return (made) => ({ ...made, header: { ...made.header, ...changes } });
}

/** Changes header fields of the request. */
export function fields(changes: Partial<TokenRequest['fields']>): Change<TokenRequest> {
  return (made) => ({ ...made, fields: { ...made.fields, ...changes } });
}
