/** The cache and its reflector against a loopback server: every fault that the network or the server can make. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { Cache, type CacheOptions, type CacheState } from '../../../src/kube/cache.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { ReflectorTiming } from '../../../src/kube/reflector-timing.ts';
import { caughtKubeError } from '../../support/caught.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type Answerer,
  end,
  ignore,
  inTurn,
  json,
  reset,
  silence,
  stream,
} from '../../support/loopback-server.ts';
import { type Loopback, startLoopback, WIDGET } from '../../support/loopback-transport.ts';
import { recordingLog } from '../../support/recording-log.ts';

interface Widget extends KubeObject {
  readonly spec: string;
}

type Version = number | string;

const widget = (name: string, version: Version, uid = name): Widget => ({
  metadata: { namespace: 'a', name, uid, resourceVersion: String(version) },
  spec: `${name}${version}`,
});
const list = (version: Version, ...items: readonly Widget[]): Answerer =>
  json(200, { metadata: { resourceVersion: String(version) }, items });
const page = (next: string, ...items: readonly Widget[]): Answerer =>
  json(200, { metadata: { resourceVersion: '10', continue: next }, items });
const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const added = (name: string, version: Version, uid?: string): string =>
  event('ADDED', widget(name, version, uid));
const deleted = (name: string, version: Version): string => event('DELETED', widget(name, version));
const bookmark = (version: Version): string =>
  event('BOOKMARK', { metadata: { resourceVersion: String(version) } });
const quiet = stream([], silence);

/** Every list is answered from the first row, every watch from the second; beyond their ends nothing is answered. */
function collection(lists: readonly Answerer[], watches: readonly Answerer[]): Answerer {
  const [onList, onWatch] = [inTurn(...lists), inTurn(...watches)];
  return (response, request) => (request.query['watch'] === '1' ? onWatch : onList)(response, request);
}

describe('Cache', () => {
  let loopback: Loopback;
  let stop: AbortController;
  let stopped: Promise<void>;
  let delays: number[];
  let changes: string[];
  let states: CacheState[];

  const make = async (
    answer: Answerer,
    options: Partial<CacheOptions<string, Widget>> & { readonly timing?: Partial<ReflectorTiming> } = {},
  ): Promise<Cache<string, Widget>> => {
    [delays, changes, states] = [[], [], []];
    const wait = async (delayMs: number) => {
      delays.push(delayMs);
      await nextTurn();
    };
    loopback = await startLoopback(answer, { tls: false, connections: 1, wait, random: () => 0 });
    const cache = new Cache<string, Widget>({
      client: new KubeClient({ transport: loopback.transport, fieldManager: 'test' }),
      type: WIDGET,
      project: (object) => object.spec,
      wait,
      random: () => 0,
      ...options,
      timing: { shortWatchMs: 0, ...options.timing },
    });
    cache.onChange((key, current, previous) => changes.push(`${key} ${previous ?? '-'} ${current ?? '-'}`));
    cache.onStateChange((state) => states.push(state));
    return cache;
  };
  const start = async (...made: Parameters<typeof make>): Promise<Cache<string, Widget>> => {
    const cache = await make(...made);
    stop = new AbortController();
    stopped = cache.start(stop.signal);
    return cache;
  };
  /** `list`, `list <continue token>` or `watch <resource version>`, in order. */
  const asked = () =>
    loopback.server.requests.map(({ query }) =>
      query['watch'] === '1'
        ? `watch ${query['resourceVersion']}`
        : `list ${query['continue'] ?? ''}`.trimEnd(),
    );
  const untilAsked = (count: number) =>
    eventually(`${count} requests`, () => loopback.server.requests.length >= count);
  const contents = (cache: Cache<string, Widget>) => [...cache.values()].sort();

  afterEach(async () => {
    stop.abort();
    await stopped;
    await eventually('all connections but the idle one to be closed', () => loopback.server.open <= 1);
    await loopback.close();
  });

  describe('without faults', () => {
    it('lists, then watches from there with bookmarks and a limit of time', async () => {
      const cache = await start(collection([list(10, widget('x', 5))], [stream([added('y', 11)], silence)]), {
        namespace: 'a',
        labelSelector: 'k=v',
        metadataOnly: true,
      });
      await eventually('the event', () => cache.get('a/y') === 'y11');
      expect(contents(cache)).to.deep.equal(['x5', 'y11']);
      expect(
        loopback.server.requests.map(({ path, query, headers }) => [path, query, headers.accept]),
      ).to.deep.equal([
        [
          '/apis/example.com/v1/namespaces/a/widgets',
          { limit: '500', labelSelector: 'k=v' },
          'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
        ],
        [
          '/apis/example.com/v1/namespaces/a/widgets',
          {
            watch: '1',
            allowWatchBookmarks: 'true',
            resourceVersion: '10',
            timeoutSeconds: '300',
            labelSelector: 'k=v',
          },
          'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
        ],
      ]);
    });

    it('tells listeners of everything, until they leave', async () => {
      const events = [
        added('y', 11),
        added('x', 12),
        deleted('y', 13),
        bookmark(14),
        added('x', 15, 'other'),
      ];
      const cache = await make(collection([list(10, widget('x', 5))], [stream(events, silence)]));
      const heard: string[] = [];
      const leave = cache.onChange((key) => {
        heard.push(key);
        leave();
      });
      stop = new AbortController();
      stopped = cache.start(stop.signal);
      await eventually('the last event', () => cache.get('a/x') === 'x15');
      expect([changes, heard]).to.deep.equal([
        ['a/x - x5', 'a/y - y11', 'a/x x5 x12', 'a/y y11 -', 'a/x x12 -', 'a/x - x15'],
        ['a/x'],
      ]);
    });

    it('goes on with a new watch when one ends in good order, without delay', async () => {
      await start(collection([list(10)], [stream([bookmark(30)], end), quiet]));
      await untilAsked(3);
      expect([asked(), delays]).to.deep.equal([['list', 'watch 10', 'watch 30'], []]);
    });

    it('is synced after the last page', async () => {
      let release: () => void = () => {};
      const last: Answerer = (response, request) => {
        release = () => list(10, widget('y', 6))(response, request);
      };
      const cache = await start(collection([page('more', widget('x', 5)), last], [quiet]));
      await untilAsked(2);
      const before = [cache.hasSynced, cache.state];
      release();
      await cache.synced();
      expect([before, [cache.hasSynced, cache.state], contents(cache), states]).to.deep.equal([
        [false, 'starting'],
        [true, 'synced'],
        ['x5', 'y6'],
        ['synced'],
      ]);
    });

    it('lets other work have turns while it reads a long list', async () => {
      let turns = 0;
      const count = (): void => {
        turns += 1;
        if (!stop.signal.aborted) setImmediate(count);
      };
      let turnsAtFirst = 0;
      let turnsAtLast = 0;
      const items = Array.from({ length: 500 }, (_, position) => widget(`w${position}`, 5));
      const cache = await start(collection([list(10, ...items)], [quiet]), {
        project: ({ spec }) => {
          if (spec === 'w05') turnsAtFirst = turns;
          if (spec === 'w4995') turnsAtLast = turns;
          return spec;
        },
      });
      setImmediate(count);
      await cache.synced();
      expect(turnsAtLast - turnsAtFirst).to.be.at.least(19);
    });

    it('shows an own write at once, and is silent about it', async () => {
      let release: (text: string) => void = () => {};
      const cache = await start(
        collection(
          [list(10, widget('x', 5))],
          [
            (response) => {
              response.flushHeaders();
              release = (text) => response.write(text);
            },
          ],
        ),
      );
      await untilAsked(2);
      cache.observe(widget('x', 11));
      cache.observe(widget('y', 12));
      cache.observeDeleted(widget('y', 12).metadata);
      const atOnce = contents(cache);
      release(added('x', 11) + added('y', 12) + deleted('y', 13) + added('z', 14));
      await eventually('the last event', () => cache.get('a/z') === 'z14');
      expect([atOnce, changes]).to.deep.equal([['x11'], ['a/x - x5', 'a/z - z14']]);
    });

    it('is started once', async () => {
      const cache = await start(ignore);
      expect(await cache.start(stop.signal).catch((error: Error) => error.message)).to.equal(
        'the cache of widgets is started already',
      );
    });
  });

  describe('faults of a list', () => {
    it('tries again after a 503', async () => {
      const cache = await start(collection([json(503, {}), list(10, widget('x', 5))], [quiet]));
      await cache.synced();
      expect([contents(cache), asked().slice(0, 2), delays]).to.deep.equal([['x5'], ['list', 'list'], [800]]);
    });

    it('waits as long as a 429 says', async () => {
      const cache = await start(collection([json(429, {}, { 'retry-after': '1' }), list(10)], [quiet]));
      await cache.synced();
      expect(delays).to.deep.equal([1000]);
    });

    it('begins anew when the continue token expired, and forgets nothing', async () => {
      const cache = await start(
        collection(
          [page('more', widget('x', 5)), json(410, {}), page('on', widget('x', 5)), list(10, widget('y', 6))],
          [quiet],
        ),
      );
      await cache.synced();
      expect([contents(cache), changes, asked().slice(0, 4), delays]).to.deep.equal([
        ['x5', 'y6'],
        ['a/x - x5', 'a/y - y6'],
        ['list', 'list more', 'list', 'list on'],
        [800],
      ]);
    });

    for (const status of [403, 404]) {
      it(`says that it is refused at a ${status}, asks seldom, and recovers`, async () => {
        const log = recordingLog();
        const refusal = json(status, { reason: 'No' });
        const cache = await start(collection([refusal, refusal, list(10)], [quiet]), {
          log,
          random: () => 0.5,
        });
        await cache.synced();
        expect([states, delays, cache.lastError]).to.deep.equal([
          ['refused', 'synced'],
          [20_000, 20_000],
          undefined,
        ]);
        expect(log.texts).to.deep.equal([
          `warn list widgets: ${status} No`,
          `debug list widgets: ${status} No`,
        ]);
      });
    }

    it('shows why it is refused', async () => {
      const cache = await start(collection([json(403, { reason: 'Forbidden' })], []));
      await eventually('the refusal', () => cache.state === 'refused');
      expect([cache.lastError?.code, cache.hasSynced]).to.deep.equal(['KUBE_FORBIDDEN', false]);
    });

    it('draws no conclusion from a list that it was stopped in', async () => {
      const items = Array.from({ length: 60 }, (_, position) => widget(`w${position}`, 15));
      const cache = await make(collection([list(10, widget('x', 5)), list(20, ...items)], [json(410, {})]));
      cache.onChange((key) => {
        if (key === 'a/w1') stop.abort();
      });
      stop = new AbortController();
      stopped = cache.start(stop.signal);
      await stopped;
      expect([changes, cache.get('a/x')]).to.deep.equal([['a/x - x5', 'a/w0 - w015', 'a/w1 - w115'], 'x5']);
    });

    it('opens nothing when it is stopped while a list is under way', async () => {
      let release: () => void = () => {};
      await start(
        collection(
          [
            (response, request) => {
              release = () => list(10, widget('x', 5))(response, request);
            },
          ],
          [quiet],
        ),
      );
      await untilAsked(1);
      stop.abort();
      release();
      await stopped;
      expect([asked(), changes]).to.deep.equal([['list'], []]);
    });
  });

  describe('faults of a watch', () => {
    const resumes: readonly (readonly [string, Answerer])[] = [
      ['is answered with 500', json(500, {})],
      ['is answered with 429', json(429, {})],
      ['is reset', reset],
      [
        'gives an ERROR event 500 and stays open',
        stream([event('ERROR', { kind: 'Status', code: 500 })], silence),
      ],
      ['gives an ERROR event 429', stream([event('ERROR', { kind: 'Status', code: 429 })], silence)],
      ['gives a line that is not JSON', stream(['{"type":\n'], silence)],
      ['gives an event of an unknown type', stream([event('OTHER', widget('x', 12))], silence)],
      ['gives an event without an object', stream(['{"type":"ADDED"}\n'], silence)],
    ];
    for (const [fault, answer] of resumes) {
      it(`resumes where it was when the watch ${fault}`, async () => {
        const cache = await start(collection([list(10)], [answer, stream([added('x', 11)], silence)]));
        await eventually('the event', () => cache.get('a/x') === 'x11');
        expect([asked(), delays]).to.deep.equal([['list', 'watch 10', 'watch 10'], [800]]);
      });
    }

    it('resumes after the last event when the stream is reset', async () => {
      const cache = await start(
        collection(
          [list(10)],
          [stream([added('x', 11), added('y', 12)], reset), stream([added('z', 13)], silence)],
        ),
      );
      await eventually('the next event', () => cache.get('a/z') === 'z13');
      expect([contents(cache), asked()]).to.deep.equal([
        ['x11', 'y12', 'z13'],
        ['list', 'watch 10', 'watch 12'],
      ]);
    });

    it('resumes after the last bookmark', async () => {
      await start(collection([list(10)], [stream([bookmark(40)], reset), quiet]));
      await untilAsked(3);
      expect(asked()).to.deep.equal(['list', 'watch 10', 'watch 40']);
    });

    it('resumes when the connection is half open', async () => {
      const cache = await start(collection([list(10)], [stream([added('x', 11)], silence), quiet]), {
        timing: { idleTimeoutMs: 100 },
      });
      await untilAsked(3);
      expect([asked(), cache.lastError?.reason]).to.deep.equal([
        ['list', 'watch 10', 'watch 11'],
        'UND_ERR_BODY_TIMEOUT',
      ]);
    });

    const relists: readonly (readonly [string, Answerer])[] = [
      ['is answered with 410', json(410, { reason: 'Expired' })],
      [
        'gives an ERROR event 410',
        stream([event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })], silence),
      ],
      ['is answered with 403', json(403, {})],
      ['is answered with 400', json(400, {})],
      ['gives a bookmark from before', stream([bookmark(9)], silence)],
    ];
    for (const [fault, answer] of relists) {
      it(`lists again, after a delay, when the watch ${fault}`, async () => {
        const cache = await start(
          collection([list(10, widget('x', 5), widget('y', 6)), list(20, widget('y', 15))], [answer, quiet]),
        );
        await untilAsked(4);
        expect([asked(), delays]).to.deep.equal([['list', 'watch 10', 'list', 'watch 20'], [800]]);
        expect([contents(cache), changes]).to.deep.equal([
          ['y15'],
          ['a/x - x5', 'a/y - y6', 'a/y y6 y15', 'a/x x5 -'],
        ]);
      });
    }

    it('gives a server that is behind one chance, and then lists', async () => {
      const behind = json(504, {
        reason: 'Timeout',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
      });
      await start(collection([list(10), list(5)], [behind, behind, quiet]));
      await untilAsked(5);
      expect(asked()).to.deep.equal(['list', 'watch 10', 'watch 10', 'list', 'watch 5']);
    });

    it('slows down when the server ends every watch at once with nothing new', async () => {
      const short = stream([added('x', 11)], end);
      await start(collection([list(10)], [short, short, short, quiet]), {
        timing: { shortWatchMs: 3_600_000 },
      });
      await untilAsked(5);
      expect(delays).to.deep.equal([800, 1600]);
    });

    it('ends at once when it is stopped', async () => {
      const cache = await start(collection([list(10)], [stream([added('x', 11)], silence)]));
      await eventually('the event', () => cache.size === 1);
      stop.abort();
      await stopped;
      await eventually('the connection of the watch to be closed', () => loopback.server.open <= 1);
      expect(asked()).to.deep.equal(['list', 'watch 10']);
    });

    it('handles nothing more once a listener has stopped it', async () => {
      const cache = await make(collection([list(10)], [stream([added('x', 11) + added('y', 12)], silence)]));
      stop = new AbortController();
      cache.onChange(() => stop.abort());
      stopped = cache.start(stop.signal);
      await stopped;
      expect(contents(cache)).to.deep.equal(['x11']);
    });
  });

  describe('faults of our own', () => {
    it('isolates a listener that throws', async () => {
      const log = recordingLog();
      const cache = await make(collection([list(10)], [stream([added('x', 11), added('y', 12)], silence)]), {
        log,
      });
      cache.onChange(() => {
        throw new Error('listener');
      });
      const heard: string[] = [];
      cache.onChange((key) => heard.push(key));
      stop = new AbortController();
      stopped = cache.start(stop.signal);
      await eventually('both events', () => heard.length === 2);
      expect([cache.failures, asked()]).to.deep.equal([
        { projections: 0, listeners: 2 },
        ['list', 'watch 10'],
      ]);
      expect(log.lines[0]).to.deep.equal({
        level: 'error',
        message: 'listener of the cache failed',
        fields: { type: 'widgets', key: 'a/x', error: 'listener' },
      });
    });

    it('leaves out an object that cannot be projected, also when an older state of it is held', async () => {
      const log = recordingLog();
      const cache = await start(
        collection(
          [list(10, widget('x', 5), widget('bad', 5))],
          [stream([added('x', 666), added('y', 667)], silence)],
        ),
        {
          log,
          project: ({ spec }) => {
            if (spec === 'bad5' || spec === 'x666') throw new TypeError(`quotes ${spec}`);
            return spec;
          },
        },
      );
      await eventually('the last event', () => cache.get('a/y') === 'y667');
      expect([contents(cache), changes, cache.failures]).to.deep.equal([
        ['y667'],
        ['a/x - x5', 'a/x x5 -', 'a/y - y667'],
        { projections: 2, listeners: 0 },
      ]);
      expect(log.lines).to.deep.equal(
        ['a/bad', 'a/x'].map((key) => ({
          level: 'error',
          message: 'object left out of the cache: its projection failed',
          fields: { type: 'widgets', key, error: 'TypeError' },
        })),
      );
    });
  });

  describe('synced', () => {
    it('rejects when its signal is aborted, before or during the wait', async () => {
      const cache = await start(ignore);
      const abort = new AbortController();
      const waiting = caughtKubeError(cache.synced(abort.signal));
      abort.abort();
      const errors = [await waiting, await caughtKubeError(cache.synced(abort.signal))];
      expect(errors.map((error) => error.code)).to.deep.equal(['KUBE_ABORTED', 'KUBE_ABORTED']);
    });

    it('rejects when the cache is stopped', async () => {
      const cache = await start(ignore);
      const waiting = caughtKubeError(cache.synced());
      stop.abort();
      expect((await waiting).code).to.equal('KUBE_ABORTED');
    });
  });
});
