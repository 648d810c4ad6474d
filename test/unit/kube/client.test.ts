/** The client: which request each verb makes. */

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { KubeClient } from '../../../src/kube/client.ts';
import { CONFIG_MAP, NAMESPACE, SECRET } from '../../../src/kube/core-types.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { caughtKubeError } from '../../support/caught.ts';
import { type Answerer, end, inTurn, json, stream } from '../../support/loopback-server.ts';
import { type Loopback, startLoopback, WIDGET } from '../../support/loopback-transport.ts';

const TARGET = { namespace: 'a', name: 'w' };
const OBSERVED = { ...TARGET, uid: 'u1', resourceVersion: '5' };
const STRICT = { fieldManager: 'test', fieldValidation: 'Strict' };
const NOT_FOUND = json(404, { reason: 'NotFound' });

describe('KubeClient', () => {
  let loopback: Loopback;
  const start = async (answer: Answerer = json(200, {})): Promise<KubeClient> => {
    loopback = await startLoopback(answer, { tls: false, maxAnswerBytes: 20_000 });
    return new KubeClient({ transport: loopback.transport, fieldManager: 'test', keyMaterial: [SECRET] });
  };
  /** What was asked, without what every request has. */
  const asked = () =>
    loopback.server.requests.map(({ method, path, query, body, headers }) => ({
      request: `${method} ${path}`,
      query,
      body,
      contentType: headers['content-type'],
      accept: headers.accept,
    }));
  afterEach(() => loopback.close());

  describe('get', () => {
    it('asks for one object, of any group and scope, with the name percent-encoded', async () => {
      const client = await start();
      await client.get(WIDGET, { namespace: 'a', name: 'w/x y' });
      await client.get(CONFIG_MAP, TARGET);
      await client.get(NAMESPACE, { name: 'a' });
      expect(asked().map(({ request }) => request)).to.deep.equal([
        'GET /apis/example.com/v1/namespaces/a/widgets/w%2Fx%20y',
        'GET /api/v1/namespaces/a/configmaps/w',
        'GET /api/v1/namespaces/a',
      ]);
    });

    it('rejects a place that the type cannot have', async () => {
      const client = await start();
      for (const [type, target] of [
        [WIDGET, { name: 'w' }],
        [WIDGET, { namespace: '', name: 'w' }],
        [WIDGET, { namespace: 'a', name: '' }],
        [NAMESPACE, { namespace: 'a', name: 'a' }],
      ] as const) {
        expect(() => client.get(type, target)).to.throw(TypeError);
      }
    });
  });

  describe('find', () => {
    it('gives undefined for what is not there, and throws everything else', async () => {
      const client = await start(inTurn(NOT_FOUND, json(200, { metadata: TARGET }), json(403, {})));
      expect(await client.find(WIDGET, TARGET)).to.equal(undefined);
      expect(await client.find(WIDGET, TARGET)).to.deep.equal({ metadata: TARGET });
      expect((await caughtKubeError(client.find(WIDGET, TARGET))).code).to.equal('KUBE_FORBIDDEN');
    });
  });

  describe('list', () => {
    const page = (name: string, next?: string) =>
      json(200, { metadata: { resourceVersion: '7', continue: next }, items: [{ metadata: { name } }] });

    it('reads page by page', async () => {
      const client = await start(inTurn(page('x', 'more'), page('y', '')));
      expect(await client.list(WIDGET, { namespace: 'a', labelSelector: 'k=v' })).to.deep.equal({
        items: [{ metadata: { name: 'x' } }, { metadata: { name: 'y' } }],
        resourceVersion: '7',
      });
      const request = 'GET /apis/example.com/v1/namespaces/a/widgets';
      expect(asked().map(({ request, query }) => [request, query])).to.deep.equal([
        [request, { labelSelector: 'k=v', limit: '500' }],
        [request, { labelSelector: 'k=v', limit: '500', continue: 'more' }],
      ]);
    });

    it('begins anew when the continue token expired, and gives up in the end', async () => {
      const gone = json(410, { reason: 'Expired' });
      const client = await start(inTurn(page('old', 'more'), gone, page('x'), ...Array(5).fill(gone)));
      expect((await client.list(WIDGET)).items).to.deep.equal([{ metadata: { name: 'x' } }]);
      expect((await caughtKubeError(client.list(WIDGET))).code).to.equal('KUBE_GONE');
      expect(loopback.server.requests.length).to.equal(3 + 4);
    });

    it('asks for smaller pages when a page is too large', async () => {
      const large = json(200, { items: ['x'.repeat(30_000)] });
      const client = await start(inTurn(page('x', 'more'), large, page('y', 'on'), page('z')));
      expect((await client.list(WIDGET)).items.length).to.equal(3);
      expect(asked().map(({ query }) => [query['limit'], query['continue']])).to.deep.equal([
        ['500', undefined],
        ['500', 'more'],
        ['63', 'more'],
        ['63', 'on'],
      ]);
    });

    it('gives up when a single object is too large', async () => {
      const client = await start(json(200, { items: ['x'.repeat(30_000)] }));
      expect((await caughtKubeError(client.list(WIDGET))).reason).to.equal('AnswerTooLarge');
      expect(asked().map(({ query }) => query['limit'])).to.deep.equal(['500', '63', '8', '1']);
    });
  });

  describe('listPage', () => {
    it('asks for one page, and for nothing but metadata if wanted', async () => {
      const client = await start(
        json(200, { metadata: { resourceVersion: '7', continue: 'more' }, items: [] }),
      );
      expect(await client.listPage(WIDGET, { limit: 5, metadataOnly: true })).to.deep.equal({
        items: [],
        resourceVersion: '7',
        continue: 'more',
      });
      expect(asked()).to.deep.equal([
        {
          request: 'GET /apis/example.com/v1/widgets',
          query: { limit: '5' },
          body: undefined,
          contentType: undefined,
          accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
        },
      ]);
    });
  });

  describe('watch', () => {
    it('asks for events with bookmarks', async () => {
      const client = await start(stream(['{}\n'], end));
      const lines: string[] = [];
      await client.watch(WIDGET, {
        fieldSelector: 'metadata.name=w',
        metadataOnly: true,
        resourceVersion: '7',
        timeoutSeconds: 300,
        signal: new AbortController().signal,
        onLine: (line) => lines.push(line.toString()),
      });
      expect([lines, asked()]).to.deep.equal([
        ['{}'],
        [
          {
            request: 'GET /apis/example.com/v1/widgets',
            query: {
              watch: '1',
              allowWatchBookmarks: 'true',
              fieldSelector: 'metadata.name=w',
              resourceVersion: '7',
              timeoutSeconds: '300',
            },
            body: undefined,
            contentType: undefined,
            accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
          },
        ],
      ]);
    });
  });

  describe('writes', () => {
    const typed = { apiVersion: 'example.com/v1', kind: 'Widget' };
    const accept = 'application/json';
    const object = '/apis/example.com/v1/namespaces/a/widgets/w';

    it('create is a POST', async () => {
      const client = await start();
      await client.create(WIDGET, { metadata: TARGET, spec: 1 });
      expect(asked()).to.deep.equal([
        {
          request: 'POST /apis/example.com/v1/namespaces/a/widgets',
          query: STRICT,
          body: { ...typed, metadata: TARGET, spec: 1 },
          contentType: 'application/json',
          accept,
        },
      ]);
    });

    it('apply is a server-side apply, with force unless told otherwise', async () => {
      const client = await start();
      await client.apply(WIDGET, { metadata: TARGET });
      await client.apply(WIDGET, { metadata: TARGET }, { force: false });
      const apply = {
        request: `PATCH ${object}`,
        body: { ...typed, metadata: TARGET },
        contentType: 'application/apply-patch+yaml',
        accept,
      };
      expect(asked()).to.deep.equal([
        { ...apply, query: { ...STRICT, force: 'true' } },
        { ...apply, query: { ...STRICT, force: 'false' } },
      ]);
    });

    it('applyStatus applies to the status of one uid, without other metadata', async () => {
      const client = await start();
      await client.applyStatus(WIDGET, {
        metadata: { ...OBSERVED, labels: { a: 'b' } },
        status: { ready: true },
      });
      expect(asked()).to.deep.equal([
        {
          request: `PATCH ${object}/status`,
          query: { ...STRICT, force: 'true' },
          body: { ...typed, metadata: { ...TARGET, uid: 'u1' }, status: { ready: true } },
          contentType: 'application/apply-patch+yaml',
          accept,
        },
      ]);
    });

    it('mergePatch is a merge patch', async () => {
      const client = await start();
      const patch = { metadata: { resourceVersion: '5', finalizers: null } };
      await client.mergePatch(WIDGET, { ...TARGET, patch });
      expect(asked()).to.deep.equal([
        {
          request: `PATCH ${object}`,
          query: STRICT,
          body: patch,
          contentType: 'application/merge-patch+json',
          accept,
        },
      ]);
    });

    it('jsonPatch is a list of steps', async () => {
      const client = await start();
      const patch = [{ op: 'replace' as const, path: '/metadata/resourceVersion', value: '5' }];
      await client.jsonPatch(WIDGET, { ...TARGET, patch });
      expect(asked()).to.deep.equal([
        {
          request: `PATCH ${object}`,
          query: STRICT,
          body: patch,
          contentType: 'application/json-patch+json',
          accept,
        },
      ]);
    });

    it('replace is a PUT of the observed state', async () => {
      const client = await start();
      await client.replace(WIDGET, { metadata: OBSERVED });
      expect(asked()).to.deep.equal([
        {
          request: `PUT ${object}`,
          query: STRICT,
          body: { ...typed, metadata: OBSERVED },
          contentType: 'application/json',
          accept,
        },
      ]);
    });

    it('delete sends its conditions', async () => {
      const client = await start();
      await client.delete(WIDGET, { ...OBSERVED, propagationPolicy: 'Background' });
      expect(asked()).to.deep.equal([
        {
          request: `DELETE ${object}`,
          query: {},
          body: {
            apiVersion: 'v1',
            kind: 'DeleteOptions',
            preconditions: { uid: 'u1', resourceVersion: '5' },
            propagationPolicy: 'Background',
          },
          contentType: 'application/json',
          accept,
        },
      ]);
    });

    it('delete gives the object that finalizers keep, and undefined for one that is gone', async () => {
      const kept = { kind: 'Widget', metadata: OBSERVED };
      const client = await start(inTurn(json(200, kept), json(200, { kind: 'Status', status: 'Success' })));
      expect([await client.delete(WIDGET, TARGET), await client.delete(WIDGET, TARGET)]).to.deep.equal([
        kept,
        undefined,
      ]);
    });

    it('refuses writes that would not be conditional', async () => {
      const client = await start();
      expect(() => client.replace(WIDGET, { metadata: { ...TARGET, uid: 'u1' } })).to.throw(TypeError);
      expect(() => client.replace(WIDGET, { metadata: { ...TARGET, resourceVersion: '5' } })).to.throw(
        TypeError,
      );
      expect(() => client.applyStatus(WIDGET, { metadata: { ...TARGET, uid: '' }, status: {} })).to.throw(
        TypeError,
      );
    });

    it('asks the fence before every write, and for no read', async () => {
      await start();
      const fence = {
        assertHeld() {
          throw new KubeError('KUBE_LEASE_NOT_HELD', 'not held');
        },
      };
      const client = new KubeClient({ transport: loopback.transport, fieldManager: 'test', fence });
      const observed = { metadata: OBSERVED };
      const writes = [
        client.create(WIDGET, observed),
        client.apply(WIDGET, observed),
        client.applyStatus(WIDGET, { ...observed, status: {} }),
        client.mergePatch(WIDGET, { ...TARGET, patch: {} }),
        client.replace(WIDGET, observed),
        client.delete(WIDGET, TARGET),
      ];
      const codes = (await Promise.all(writes.map(caughtKubeError))).map((error) => error.code);
      expect(codes).to.deep.equal(Array(6).fill('KUBE_LEASE_NOT_HELD'));
      await client.get(WIDGET, TARGET);
      expect(asked().map(({ request }) => request)).to.deep.equal([`GET ${object}`]);
    });

    it('refuses to write key material', async () => {
      const client = await start();
      const secret = { metadata: OBSERVED };
      const refused = await Promise.all(
        [
          async () => client.create(SECRET, secret),
          async () => client.apply(SECRET, secret),
          async () => client.mergePatch(SECRET, { ...TARGET, patch: {} }),
          async () => client.replace(SECRET, secret),
          async () => client.delete(SECRET, TARGET),
        ].map((write) => write().catch((error: unknown) => error instanceof TypeError)),
      );
      expect(refused).to.deep.equal(Array(5).fill(true));
      expect(loopback.server.requests).to.deep.equal([]);
    });
  });
});
