import { expect } from 'chai';
import {
  caBundlePatch,
  configurationRecord,
  trusts,
} from '../../../../src/controllers/serving/webhook-configuration.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const record = configurationRecord({
  metadata: { name: 'agent-trust', resourceVersion: '7', labels: { a: 'b' } },
  webhooks: [{ clientConfig: {} }, { clientConfig: { caBundle: base64('NEW OLD') } }],
});

describe('configurationRecord', () => {
  it('keeps whom each webhook trusts, in order', () => {
    expect(record).to.deep.equal({
      metadata: { name: 'agent-trust', resourceVersion: '7' },
      caBundles: ['', base64('NEW OLD')],
    });
  });

  it('takes a configuration without webhooks', () => {
    expect(configurationRecord({ metadata: { name: 'agent-trust' } }).caBundles).to.deep.equal([]);
  });
});

describe('caBundlePatch', () => {
  it('changes only what is not so already, and only in the state that was seen', () => {
    expect(caBundlePatch(record, 'NEW OLD')).to.deep.equal([
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: base64('NEW OLD') },
    ]);
  });

  it('is nothing when every webhook says so', () => {
    expect(caBundlePatch({ ...record, caBundles: [base64('NEW')] }, 'NEW')).to.equal(undefined);
  });
});

describe('trusts', () => {
  it('accepts a certificate that stands among others', () => {
    expect(trusts({ ...record, caBundles: [base64('NEW OLD')] }, 'OLD')).to.equal(true);
  });

  it('rejects one that a single webhook does not name', () => {
    expect(trusts(record, 'OLD')).to.equal(false);
  });
});
