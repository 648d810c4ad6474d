/** What HTTP needs of an agent: its files, tokens for its own calls, and verification of the calls it gets. */

import type { RevokedCertificates } from '../../crypto/revoked-certificates.ts';
import type { Refusal } from '../../domain/token/refusal.ts';
import type { Binding, PolicyFile } from '../../domain/token/state/policy-file.ts';
import type { VerifierState } from '../../domain/token/state/verifier-state.ts';
import type { TokenRefusal } from '../../domain/token/verify/examine.ts';
import type { TokenRequest } from '../../domain/token/verify/verifier.ts';
import type { Accepted } from '../../domain/token/verify/verify.ts';

/** What of the mounted files connections are made from. Never changed: a new reading is another object. */
export interface ConnectionFiles {
  /** SPIFFE ID of the agent. */
  readonly identity: string;
  readonly namespace: string;
  readonly tls: {
    readonly certificatePem: string;
    readonly privateKeyPem: string;
    /** All roots that are trusted now. */
    readonly caPem: string;
    /** base64url of the SHA-256 of the certificate in DER. */
    readonly thumbprint: string;
  };
  /** Undefined while none was ever read. */
  readonly bundle:
    | {
        readonly policy: PolicyFile;
        readonly state: Pick<VerifierState, 'revocations'>;
        readonly revokedCertificates: Pick<RevokedCertificates, 'has'>;
      }
    | undefined;
}

/** A capability to ask for. */
export interface WantedCapability {
  readonly name: string;
  /** Absent means as many as may be passed on. */
  readonly resources?: readonly string[];
}

/** What a call is to carry. */
export interface DelegateOptions {
  readonly capabilities: readonly WantedCapability[];
  /** Absent means 120 s, or as long as everything around it lets it live. */
  readonly ttlSeconds?: number;
  /** Absent means 1. */
  readonly maxUses?: number;
}

/** A verified token of a call that this agent got, as it was presented: what a child is made from. */
export interface ParentToken {
  readonly accepted: Accepted;
  /** Compact JWS. */
  readonly token: string;
  /** Its own parents, nearest first. */
  readonly chain: readonly string[];
}

/** What a token is made for. */
export interface DelegateRequest extends DelegateOptions {
  /** SPIFFE ID of the audience. */
  readonly to: string;
  /** Absent means the first token of a tree. */
  readonly parent?: ParentToken;
  /** `txn` of the first token of a tree, so that a retry belongs to the same one; absent means a new one. */
  readonly transaction?: string;
}

/** A token, ready to be presented. */
export interface Delegated {
  readonly kind: 'delegated';
  /** Compact JWS. */
  readonly token: string;
  /** What stands in `Agent-Delegation-Chain`, nearest first; empty for the first token of a tree. */
  readonly chain: readonly string[];
  readonly binding: Binding;
  /** `txn`. */
  readonly transaction: string;
  /**
   * A proof of the key that the token is bound to, for one request; RFC 9449 section 4.2. Only for tokens bound to a key.
   *
   * @param url Without query and fragment.
   */
  prove(method: string, url: string): string;
}

/** An agent, as far as its connections need it. */
export interface AgentCore {
  /** The files of this moment. */
  readonly current: ConnectionFiles;
  /** Calls the listener after `current` was replaced, until the function that it returns is called. */
  onChange(listener: () => void): () => void;
  /** Mints from the files of this moment. Errors: none. */
  delegate(request: DelegateRequest): Delegated | Refusal;
  /** Verifies a request and uses its token. Errors: none. */
  verify(request: TokenRequest): Promise<Accepted | TokenRefusal>;
}
