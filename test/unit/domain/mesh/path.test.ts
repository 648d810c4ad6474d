import { expect } from 'chai';
import { istioPath, pathMatches } from '../../../../src/domain/mesh/path.ts';

describe('istioPath', () => {
  const accepted: Readonly<Record<string, string>> = {
    '/v1/delegate': '/v1/delegate',
    '/v1/message:send': '/v1/message:send',
    '/v1/reports/{name}': '/v1/reports/{*}',
    '/v1/{*}/x/{**}': '/v1/{*}/x/{**}',
    '/': '/',
  };
  for (const [path, matched] of Object.entries(accepted)) {
    it(`accepts ${path} as ${matched}`, () => expect(istioPath(path)).to.equal(matched));
  }

  for (const path of ['', 'v1', '/v1/*', '/v1/a{*}', '/{a}{b}', '/{**}/x', '/{}', '/{a b}', '/x*']) {
    it(`rejects ${JSON.stringify(path)}`, () => expect(istioPath(path)).to.equal(undefined));
  }
});

describe('pathMatches', () => {
  const matching = [
    ['/v1/delegate', '/v1/delegate'],
    ['/v1/delegate', '/v1/delegate/'],
    ['/v1/delegate/', '/v1/delegate'],
    ['/v1/delegate', '/V1/Delegate'],
    ['/v1/{name}', '/v1/q1'],
    ['/v1/{**}', '/v1/'],
    ['/v1/{**}', '/v1/a/b'],
    ['/{**}', '/'],
  ] as const;
  for (const [route, path] of matching) {
    it(`accepts ${path} for ${route}`, () => expect(pathMatches(route, path)).to.equal(true));
  }

  const other = [
    ['/v1/delegate', '/v1/delegate/x'],
    ['/v1/delegate', '/v1'],
    ['/v1/{name}', '/v1/'],
    ['/v1/{name}', '/v1/a/b'],
    ['/v1/{**}', '/v2/a'],
  ] as const;
  for (const [route, path] of other) {
    it(`rejects ${path} for ${route}`, () => expect(pathMatches(route, path)).to.equal(false));
  }
});
