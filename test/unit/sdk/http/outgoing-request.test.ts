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

  for (const [what, call] of [
    ['http', () => request({}, 'http://agent-deployer:8443/')],
    ['no URL', () => request({}, '/v1/delegate')],
    ['a user in the URL', () => request({}, 'https://me@agent-deployer:8443/')],
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
