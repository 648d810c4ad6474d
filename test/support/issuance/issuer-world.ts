/** A server with ConfigMap `agent-trust-issuers` and the Secret of the authority, and leaders with a book of issuers. */

import { authoritySecret } from '../../../src/controllers/authority/authority-record.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { IssuerBook } from '../../../src/controllers/issuance/issuer-book.ts';
import {
  type IssuersRecord,
  issuersRecord,
  type ListedIssuer,
} from '../../../src/controllers/issuance/issuer-state.ts';
import { IssuerStore, type IssuerStorePorts } from '../../../src/controllers/issuance/issuer-store.ts';
import { LeafBook } from '../../../src/controllers/ledger/leaf-book.ts';
import type { Authority, AuthorityCertificate } from '../../../src/crypto/authority-reader.ts';
import { readIssuerCertificates } from '../../../src/crypto/issuer-certificates.ts';
import { type IssuerRef, issuerId, withDefaults } from '../../../src/domain/issuance/issuer.ts';
import { Cache } from '../../../src/kube/cache.ts';
import { carryOver } from '../../../src/kube/carry-over.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { storedAuthority, T0 } from '../../unit/crypto/fixture.ts';
import { ConfigMapStore } from '../config-map-store.ts';
import { LONG } from './bad-answers.ts';
import { TestCA } from './test-ca.ts';

const NAMESPACE = 'agent-trust-system';
const GRACE_MS = 10 * 60_000;

/** A CA as an issuer of cert-manager has it. */
export function issuerCA(name: string): AuthorityCertificate {
  const read = readIssuerCertificates(Buffer.from(new TestCA({ name, ...LONG }).pem));
  const [certificate] = read.kind === 'certificates' ? read.certificates : [];
  if (certificate === undefined) throw new Error('the CA of the test is none');
  return certificate;
}

/** An issuer of the list. */
export function listedIssuer(
  name: string,
  certificates: readonly AuthorityCertificate[] = [],
  isFormer = false,
): ListedIssuer {
  return { ...withDefaults({ name }), certificates, isFormer };
}

/** What there is beside the leaders, and may change under them. */
export class IssuerWorld {
  readonly server: ConfigMapStore = new ConfigMapStore();
  readonly leaves: LeafBook = new LeafBook();
  /** Ids of issuers that no policy names. */
  readonly unfenced: Set<string> = new Set();
  /** Reasons of events. */
  readonly told: string[] = [];
  /** Those of the Secret; the last one signs. */
  generations: readonly Authority[] = [storedAuthority()];
  /** Undefined: the Secret as it should be. */
  spoiltSecret: Secret | undefined;
  nowMs: number = T0;
  isClockTrusted = true;

  /** The book of a new leader, which has read nothing. */
  book(...listed: readonly ListedIssuer[]): IssuerBook {
    return new IssuerBook({
      listed,
      store: this.#store(),
      isFenced: (issuer: IssuerRef) => !this.unfenced.has(issuerId(issuer)),
      leaves: this.leaves,
      graceMs: GRACE_MS,
      nowMs: () => this.nowMs,
      isClockTrusted: () => this.isClockTrusted,
      tell: ({ reason }) => this.told.push(reason),
    });
  }

  /** The book of a new leader that has begun its work. */
  async lead(...listed: readonly ListedIssuer[]): Promise<IssuerBook> {
    const book = this.book(...listed);
    const { signal } = new AbortController();
    await book.load(signal);
    await book.keep(signal);
    return book;
  }

  /** A leaf of a CA that is good for so long. */
  addLeaf({ id }: AuthorityCertificate, lifeMs: number): void {
    const agent = { identityUid: 'uid-1', namespace: 'ai-agents', serviceAccountName: 'agent-deployer' };
    const serialHex = (1000 + [...this.leaves.lines()].length).toString(16);
    this.leaves.add([{ ...agent, serialHex, notAfterMs: this.nowMs + lifeMs, generation: id }]);
  }

  #store(): IssuerStore {
    const { server } = this;
    const never = async (): Promise<never> => new Promise(() => {});
    const client: IssuerStorePorts['client'] = {
      find: async <T extends KubeObject>(...[type, target, options]: Parameters<ConfigMapStore['find']>) =>
        type.kind === SECRET.kind
          ? ((this.spoiltSecret ?? authoritySecret(NAMESPACE, this.generations)) as KubeObject as T)
          : server.find<T>(type, target, options),
    };
    return new IssuerStore({
      stored: new Cache<IssuersRecord, ConfigMap>({
        client: { pages: never, watch: never } as never,
        type: CONFIG_MAP,
        project: issuersRecord,
      }),
      client,
      writer: {
        create: (type, desired, options) => server.create(type, desired, options),
        replace: (type, { desired, observed }, options) =>
          server.replace(
            type,
            { ...desired, metadata: carryOver(desired.metadata, observed, 'agenttrust.dev/') },
            options,
          ),
        recreate: async (type, { desired, observed }, options) => {
          const { name, uid } = observed;
          await server.delete(
            type,
            { name, namespace: NAMESPACE, ...(uid === undefined ? {} : { uid }) },
            options,
          );
          return server.create(type, desired, options);
        },
      },
      signer: () => this.generations.at(-1),
      namespace: NAMESPACE,
    });
  }
}
