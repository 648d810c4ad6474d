/** The fenced writer: which requests it makes, in which order, and what stops it. */

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { KubeError } from '../../../src/kube/errors.ts';
import { FencedWriter, type WipeResult } from '../../../src/kube/fenced-writer.ts';
import type { KubeObject, ObjectMeta } from '../../../src/kube/object.ts';
import { caughtKubeError } from '../../support/caught.ts';
import { type Answerer, inTurn, json } from '../../support/loopback-server.ts';
import { type Loopback, startLoopback, WIDGET } from '../../support/loopback-transport.ts';

interface Widget extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

const META: ObjectMeta = { namespace: 'a', name: 'w', uid: 'u1', resourceVersion: '5' };
const TYPED = { apiVersion: 'example.com/v1', kind: 'Widget' };
const FULL: Widget = { ...TYPED, metadata: META, data: { key: 'c2VjcmV0' } };
const EMPTY: Widget = { ...TYPED, metadata: { ...META, resourceVersion: '6' } };
const DONE = json(200, { kind: 'Status', status: 'Success' });
const NOT_FOUND = json(404, { reason: 'NotFound' });
const CONFLICT = json(409, { reason: 'Conflict' });
const emptied = (current: Widget): Widget => ({ ...current, data: {} });

describe('FencedWriter', () => {
  let loopback: Loopback;
  let held: boolean;
  const start = async (...answers: readonly Answerer[]): Promise<FencedWriter> => {
    held = true;
    loopback = await startLoopback(inTurn(...answers), { tls: false });
    const fence = {
      assertHeld() {
        if (!held) throw new KubeError('KUBE_LEASE_NOT_HELD', 'not held');
      },
    };
    return new FencedWriter({
      transport: loopback.transport,
      fence,
      fieldManager: 'test',
      ownPrefix: 'ours.dev/',
    });
  };
  const methods = () => loopback.server.requests.map(({ method }) => method).join(' ');
  const bodies = () => loopback.server.requests.map(({ body }) => body).filter((body) => body !== undefined);
  afterEach(() => loopback.close());

  it('sends no write once the lease is not held', async () => {
    const writer = await start(json(200, FULL), json(200, FULL));
    held = false;
    const writes = [
      writer.create(WIDGET, FULL),
      writer.replace(WIDGET, { desired: FULL, observed: META }),
      writer.recreate(WIDGET, { desired: FULL, observed: META }),
      writer.wipe<Widget>(WIDGET, { observed: META, emptied }),
    ];
    const codes = (await Promise.all(writes.map(caughtKubeError))).map((error) => error.code);
    expect(codes).to.deep.equal(Array(4).fill('KUBE_LEASE_NOT_HELD'));
    expect(methods()).to.equal('GET');
  });

  it('asks the fence when the request leaves, not when it is made', async () => {
    const writer = await start((response, request) => {
      held = false;
      json(429, {}, { 'retry-after': '1' })(response, request);
    });
    expect((await caughtKubeError(writer.create(WIDGET, FULL))).code).to.equal('KUBE_LEASE_NOT_HELD');
    expect(methods()).to.equal('POST');
  });

  describe('replace', () => {
    it('puts the whole object over the observed one, and keeps what is not ours', async () => {
      const writer = await start(json(200, FULL));
      const observed = {
        ...META,
        labels: { foreign: 'kept', 'ours.dev/old': 'x' },
        finalizers: ['other.dev/f'],
      };
      await writer.replace<Widget>(WIDGET, {
        desired: {
          metadata: { namespace: 'a', name: 'w', labels: { 'ours.dev/new': 'y' } },
          data: { key: 'bmV3' },
        },
        observed,
      });
      expect(bodies()).to.deep.equal([
        {
          ...TYPED,
          metadata: {
            ...META,
            labels: { foreign: 'kept', 'ours.dev/new': 'y' },
            annotations: {},
            ownerReferences: [],
            finalizers: ['other.dev/f'],
          },
          data: { key: 'bmV3' },
        },
      ]);
    });

    it('refuses metadata without uid or resourceVersion', async () => {
      const writer = await start();
      const { uid: _u, ...withoutUid } = META;
      const { resourceVersion: _r, ...withoutVersion } = META;
      for (const observed of [withoutUid, withoutVersion]) {
        expect(() => writer.replace(WIDGET, { desired: { metadata: observed }, observed })).to.throw(
          TypeError,
        );
      }
    });
  });

  describe('recreate', () => {
    it('deletes exactly the observed state and creates the desired object', async () => {
      const writer = await start(DONE, json(201, FULL));
      const desired = { metadata: { namespace: 'a', name: 'w' }, data: { key: 'bmV3' } };
      expect(await writer.recreate(WIDGET, { desired, observed: META })).to.deep.equal(FULL);
      expect([methods(), bodies()]).to.deep.equal([
        'DELETE POST',
        [
          { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u1', resourceVersion: '5' } },
          { ...TYPED, ...desired },
        ],
      ]);
    });

    it('takes finalizers of others away first, which would keep the name', async () => {
      const kept = { ...META, finalizers: ['other.dev/f'] };
      const stripped = { ...FULL, metadata: { ...META, resourceVersion: '6' } };
      const writer = await start(
        json(200, { ...FULL, metadata: kept }),
        json(200, stripped),
        DONE,
        json(201, FULL),
      );
      await writer.recreate(WIDGET, { desired: FULL, observed: kept });
      expect([methods(), (bodies()[1] as { preconditions: object }).preconditions]).to.deep.equal([
        'GET PUT DELETE POST',
        { uid: 'u1', resourceVersion: '6' },
      ]);
    });

    it('creates nothing when the object changed', async () => {
      const writer = await start(CONFLICT);
      const error = await caughtKubeError(writer.recreate(WIDGET, { desired: FULL, observed: META }));
      expect([error.code, methods()]).to.deep.equal(['KUBE_CONFLICT', 'DELETE']);
    });
  });

  describe('wipe', () => {
    const wipe = (writer: FencedWriter): Promise<WipeResult> =>
      writer.wipe<Widget>(WIDGET, { observed: META, emptied });

    it('empties, deletes that uid and reads back', async () => {
      const writer = await start(json(200, FULL), json(200, EMPTY), DONE, NOT_FOUND);
      expect(await wipe(writer)).to.deep.equal({ kind: 'wiped' });
      const carried = { labels: {}, annotations: {}, ownerReferences: [], finalizers: [] };
      expect([methods(), bodies()]).to.deep.equal([
        'GET PUT DELETE GET',
        [
          { ...TYPED, metadata: { ...META, ...carried }, data: {} },
          {
            apiVersion: 'v1',
            kind: 'DeleteOptions',
            preconditions: { uid: 'u1' },
            propagationPolicy: 'Background',
          },
        ],
      ]);
    });

    it('finds it gone', async () => {
      expect(await wipe(await start(NOT_FOUND))).to.deep.equal({ kind: 'gone' });
    });

    it('finds it gone when somebody else deletes it meanwhile', async () => {
      const writer = await start(json(200, FULL), NOT_FOUND, NOT_FOUND);
      expect([await wipe(writer), methods()]).to.deep.equal([{ kind: 'gone' }, 'GET PUT GET']);
    });

    it('does not touch another object of the same name', async () => {
      const writer = await start(json(200, { ...FULL, metadata: { ...META, uid: 'u2' } }));
      expect([await wipe(writer), methods()]).to.deep.equal([{ kind: 'replacedByOther', uid: 'u2' }, 'GET']);
    });

    it('says so when the name was taken at once', async () => {
      const writer = await start(
        json(200, FULL),
        json(200, EMPTY),
        CONFLICT,
        json(200, { ...FULL, metadata: { ...META, uid: 'u2' } }),
      );
      expect([await wipe(writer), methods()]).to.deep.equal([
        { kind: 'replacedByOther', uid: 'u2' },
        'GET PUT DELETE GET',
      ]);
    });

    it('leaves an emptied object to the finalizers of others', async () => {
      const finalizers = ['other.dev/f'];
      const kept = { ...EMPTY, metadata: { ...EMPTY.metadata, finalizers, deletionTimestamp: 'now' } };
      const writer = await start(json(200, FULL), json(200, EMPTY), json(200, kept), json(200, kept));
      expect(await wipe(writer)).to.deep.equal({ kind: 'emptied', finalizers });
    });

    it('begins again when the object changed under it, or was filled again', async () => {
      const writer = await start(
        json(200, FULL),
        CONFLICT,
        json(200, FULL),
        json(200, EMPTY),
        json(200, FULL),
        json(200, FULL),
        json(200, EMPTY),
        DONE,
        NOT_FOUND,
      );
      expect([await wipe(writer), methods()]).to.deep.equal([
        { kind: 'wiped' },
        'GET PUT GET PUT DELETE GET PUT DELETE GET',
      ]);
    });

    it('gives up when others do not', async () => {
      const writer = await start(...Array.from({ length: 4 }, () => [json(200, FULL), CONFLICT]).flat());
      const error = await caughtKubeError(wipe(writer));
      expect([error.code, error.message, methods()]).to.deep.equal([
        'KUBE_CONFLICT',
        'wipe widgets a/w: others keep changing it',
        'GET PUT GET PUT GET PUT GET',
      ]);
    });

    it('does not overwrite an immutable object, and takes away what would keep it', async () => {
      const immutable = { ...FULL, immutable: true, metadata: { ...META, finalizers: ['other.dev/f'] } };
      const writer = await start(json(200, immutable), json(200, immutable), DONE, NOT_FOUND);
      expect([await wipe(writer), methods(), bodies()[0]]).to.deep.equal([
        { kind: 'wiped' },
        'GET PUT DELETE GET',
        { ...TYPED, ...immutable, metadata: { ...META, finalizers: [] } },
      ]);
    });

    it('does not leave the copy that kubectl keeps', async () => {
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'c2VjcmV0', foreign: 'kept' };
      const writer = await start(
        json(200, { ...FULL, metadata: { ...META, annotations } }),
        json(200, EMPTY),
        DONE,
        NOT_FOUND,
      );
      await wipe(writer);
      expect((bodies()[0] as Widget).metadata.annotations).to.deep.equal({ foreign: 'kept' });
    });

    it('passes on a failure that says nothing about the object', async () => {
      const writer = await start(json(200, FULL), json(403, { reason: 'Forbidden' }));
      expect((await caughtKubeError(wipe(writer))).code).to.equal('KUBE_FORBIDDEN');
    });
  });
});
