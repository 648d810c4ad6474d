import { expect } from 'chai';
import { publishedForm, stateSinceMs } from '../../../../src/domain/signing/keys.ts';
import { held, START } from './fixture.ts';

const life = { createdMs: START * 1000 - 1_740_000, since: START - 60 };

describe('publishedForm', () => {
  it('says of either algorithm what the key is and when it signs', () => {
    const retiring = { ...held('kid-1', { ...life, state: 'Retiring', until: START + 180 }) };
    expect(publishedForm(retiring)).to.deep.equal({
      kty: 'EC',
      crv: 'P-256',
      x: 'x',
      y: 'y',
      kid: 'kid-1',
      use: 'sig',
      alg: 'ES256',
      since: START - 60,
      until: START + 180,
    });
    expect(publishedForm(held('kid-2', { ...life, state: 'Active' }, 'Ed25519'))).to.deep.equal({
      kty: 'OKP',
      crv: 'Ed25519',
      x: 'x',
      kid: 'kid-2',
      use: 'sig',
      alg: 'Ed25519',
      since: START - 60,
    });
  });
});

describe('stateSinceMs', () => {
  it('says when each state began', () => {
    expect([
      stateSinceMs({ ...life, state: 'Next' }),
      stateSinceMs({ ...life, state: 'Active' }),
      stateSinceMs({ ...life, state: 'Retiring', until: START + 86_580 }),
    ]).to.deep.equal([life.createdMs, START * 1000, (START + 86_400) * 1000]);
  });
});
