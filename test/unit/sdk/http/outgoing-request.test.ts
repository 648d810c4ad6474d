import { expect } from 'chai';
import { CallFailed } from '../../../../src/sdk/http/call-failed.ts';
import { type CallInit, outgoingRequest } from '../../../../src/sdk/http/outgoing-request.ts';

const URL_OF_B = 'https://agent-deployer:8443/v1/delegate?x=1';
const delegate = { capabilities: [{ name: 'kubectl_get' }] };
const at = { nowMs: 1_795_168_800_002, random: new Uint8Array(10) };
const request = (init: Partial<CallInit> = {}, url: string | URL = URL_OF_B) =>
  outgoingRequest(url, { ...init, delegate }, at);

function failureOf(call: () => unknown): { readonly code: string; readonly message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof CallFailed) return { code: error.code, message: error.message };
  }
  throw new Error('the call did not fail as a call does');
}

describe('outgoingRequest', () => {
  it('is a GET, as that of fetch', () => {
    const { headers, url, ...rest } = request();
    expect([...headers]).to.deep.equal([]);
    expect(url.href).to.equal(URL_OF_B);
    expect(rest).to.deep.equal({
      method: 'GET',
      body: null,
      signal: undefined,
      delegate,
      isIdempotent: true,
    });
  });

  it('gives a request that is not idempotent a key of its own, for all of its tries', () => {
    const { headers, isIdempotent, body } = request({ method: 'post', body: 'ä' });
    expect({ isIdempotent, body, headers: Object.fromEntries(headers) }).to.deep.equal({
      isIdempotent: false,
      body: Buffer.from('ä'),
      headers: {
        'content-type': 'text/plain;charset=UTF-8',
        'idempotency-key': '"01a1f866-0d02-7000-8000-000000000000"',
      },
    });
  });

  it('takes it that a request with a key of its author may be executed twice', () => {
    const { headers, isIdempotent } = request({ method: 'POST', headers: { 'Idempotency-Key': '"k"' } });
    expect([headers.get('idempotency-key'), isIdempotent]).to.deep.equal(['"k"', true]);
  });

  it('leaves a content type alone', () => {
    const { headers } = request({
      method: 'PUT',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(headers.get('content-type')).to.equal('application/json');
  });

  for (const [what, wrong, message] of [
    ['no delegate', undefined, 'delegate must be an object'],
    ['a list', [], 'delegate must be an object'],
    ['no capabilities', {}, 'delegate.capabilities must be a list'],
    ['a capability as a string', { capabilities: ['x'] }, 'delegate.capabilities[0] must be an object'],
    ['no name', { capabilities: [{}] }, 'delegate.capabilities[0].name must be a string'],
    [
      'resources as a string',
      { capabilities: [{ name: 'x' }, { name: 'y', resources: 'z' }] },
      'delegate.capabilities[1].resources must be a list',
    ],
    [
      'a resource',
      { capabilities: [{ name: 'x', resource: 'z' }] },
      'delegate.capabilities[0].resource is unknown: it is called resources',
    ],
    ['a ttl', { ...delegate, ttl: 60 }, 'delegate.ttl is unknown: it is called ttlSeconds'],
    ['a time as a string', { ...delegate, ttlSeconds: '60' }, 'delegate.ttlSeconds must be a number'],
    ['uses', { ...delegate, max_uses: 2 }, 'delegate.max_uses is unknown: it is called maxUses'],
    [
      'an audience of its own',
      { ...delegate, to: 'x' },
      'delegate.to is unknown: there are capabilities, ttlSeconds, maxUses',
    ],
  ] as const)
    it(`rejects ${what} where the author says what to delegate`, () => {
      const init = { delegate: wrong } as unknown as CallInit;
      const code = 'invalid_request';
      expect(failureOf(() => outgoingRequest(URL_OF_B, init, at))).to.deep.equal({ code, message });
    });

  it('rejects a call of which only the URL is said', () => {
    const init = undefined as unknown as CallInit;
    expect(failureOf(() => outgoingRequest(URL_OF_B, init, at)).code).to.equal('invalid_request');
  });

  it('takes a member that is there and undefined for one that is not there', () => {
    const none = { ...delegate, ttlSeconds: undefined } as unknown as CallInit['delegate'];
    expect(outgoingRequest(URL_OF_B, { delegate: none }, at).delegate).to.equal(none);
  });

  for (const [what, call] of [
    ['http', () => request({}, 'http://agent-deployer:8443/')],
    ['no URL', () => request({}, '/v1/delegate')],
    ['a user in the URL', () => request({}, 'https://me@agent-deployer:8443/')],
    ['no method', () => request({ method: 5 as unknown as string })],
    ['an unknown method', () => request({ method: 'TRACE' })],
    ['a GET with a body', () => request({ body: 'x' })],
    ['a token of its own', () => request({ headers: { authorization: 'Bearer x' } })],
    ['a proof of its own', () => request({ headers: { DPoP: 'x' } })],
    ['a chain of its own', () => request({ headers: { 'Agent-Delegation-Chain': 'x' } })],
    ['another host', () => request({ headers: { host: 'agent-validator' } })],
    ['a broken header field', () => request({ headers: { 'x-a': 'b\nc' } })],
  ] as const)
    it(`rejects ${what}`, () => {
      expect(failureOf(call).code).to.equal('invalid_request');
    });
});
