import { expect } from 'chai';
import type { ServerRoute } from '../../../../../src/domain/token/state/server-policy.ts';
import { findRoute, rawPathOf } from '../../../../../src/domain/token/wire/route-table.ts';

const route = (path: string, more: Partial<ServerRoute> = {}): ServerRoute => ({
  method: 'GET',
  path,
  accepts: 'Capability',
  ...more,
});
const report = route('/v1/reports/{name}', {
  capability: 'query_database',
  resource: '/data/reports/{name}',
});
const find = (routes: readonly ServerRoute[], path: string, method = 'GET') => {
  const found = findRoute(routes, { method, path });
  return found?.kind === 'route' ? { path: found.route.path, asked: found.asked } : found;
};

describe('rawPathOf', () => {
  for (const [target, path] of [
    ['/', '/'],
    ['/v1/delegate', '/v1/delegate'],
    ['/v1/delegate/', '/v1/delegate/'],
    ['/v1/delegate?a=/../b#c', '/v1/delegate'],
    ["/a%20b/~._-!$&'()*+,;=:@", "/a%20b/~._-!$&'()*+,;=:@"],
    ['/..a/...', '/..a/...'],
  ] as const)
    it(`takes ${target}`, () => {
      expect(rawPathOf(target)).to.equal(path);
    });

  for (const target of [
    '',
    '*',
    'v1',
    'https://agent-deployer:8443/v1',
    '//other/v1',
    '/v1//delegate',
    '/v1/./delegate',
    '/v1/../delegate',
    '/..',
    '/v1/%2e%2e/delegate',
    '/v1/.%2E',
    '/v1/..%2fdelegate',
    '/v1%2f..%2fdelegate',
    '/v1\\delegate',
    '/v1/a b',
    '/v1/%',
    '/v1/%zz',
    '/v1/%ff',
    '/v1/ä',
    '/v1/"x"',
    '/v1/{x}',
    '/v1#x',
  ])
    it(`refuses ${JSON.stringify(target)}`, () => {
      expect(rawPathOf(target)).to.equal(undefined);
    });
});

describe('findRoute', () => {
  it('finds nothing where there is no such route or method', () => {
    const routes = [route('/v1/delegate'), report];
    for (const path of ['/', '/v1', '/v1/delegate/', '/v1/delegate/x', '/v1/reports/', '/v1/reports/a/b'])
      expect(find(routes, path), path).to.equal(undefined);
    expect(find(routes, '/v1/delegate', 'POST')).to.equal(undefined);
    expect(find([], '/v1/delegate')).to.equal(undefined);
  });

  it('leaves it to the application what to ask where the route has no capability', () => {
    expect(find([route('/v1/delegate')], '/v1/delegate')).to.deep.equal({
      path: '/v1/delegate',
      asked: undefined,
    });
  });

  it('asks for the resource that the path names', () => {
    expect(find([report], '/v1/reports/2026-q1')).to.deep.equal({
      path: '/v1/reports/{name}',
      asked: { name: 'query_database', resource: '/data/reports/2026-q1' },
    });
  });

  it('asks for the name alone where the route says no resource', () => {
    expect(find([route('/v1/{**}', { capability: 'query_database' })], '/v1/a/b')).to.deep.equal({
      path: '/v1/{**}',
      asked: { name: 'query_database', isResourceLater: true },
    });
  });

  for (const value of ['*', '%2e%2e', 'a%2fb', 'a%20b', 'a'.repeat(257)])
    it(`refuses ${value.slice(0, 20)} as a segment of a resource`, () => {
      expect(find([report], `/v1/reports/${value}`)).to.deep.equal({
        kind: 'refused',
        name: 'malformed',
        message: 'A part of the path is no segment of a resource.',
        detail: {},
      });
    });

  it('prefers what is literal to a segment, and a segment to the rest, in whatever order they stand', () => {
    const routes = [route('/{**}'), route('/v1/{*}'), route('/v1/admin', { capability: 'admin' })];
    for (const each of [routes, routes.toReversed()]) {
      expect(find(each, '/v1/admin')).to.deep.include({ path: '/v1/admin' });
      expect(find(each, '/v1/x')).to.deep.include({ path: '/v1/{*}' });
      expect(find(each, '/v2')).to.deep.include({ path: '/{**}' });
    }
  });

  for (const path of ['/v1/Admin', '/v1/admin/', '/V1/admin', '/v1/%61dmin', '/v1%2fadmin'])
    it(`finds nothing for ${path}, which a lenient server takes for a path with another demand`, () => {
      expect(find([route('/{**}'), route('/v1/admin', { capability: 'admin' })], path)).to.equal(undefined);
    });

  it('finds a path that a lenient server takes for one with the same demand', () => {
    expect(find([route('/{**}'), route('/v1/other')], '/v1/Other')).to.deep.include({ path: '/{**}' });
  });

  it('finds nothing for a path of more than 256 segments, decoded or not', () => {
    const routes = Array.from({ length: 64 }, (_, index) => route(`/${'{*}/'.repeat(index)}{**}`));
    expect(find(routes, '/a'.repeat(256))).to.deep.include({ path: `/${'{*}/'.repeat(63)}{**}` });
    expect(find(routes, `/a${'%2fa'.repeat(255)}`)).to.deep.include({ path: '/{**}' });
    for (const path of ['/a'.repeat(257), '/a'.repeat(8000), `/a${'%2fa'.repeat(256)}`])
      expect(find(routes, path)).to.equal(undefined);
  });
});
