import { expect } from 'chai';
import { SerialSource } from '../../../src/crypto/serial.ts';

describe('SerialSource', () => {
  it('draws another 16 octets each time, beyond the end of its pool', () => {
    const serials = new SerialSource();
    const drawn = new Set(Array.from({ length: 1_000 }, () => serials.next().toString('hex')));
    expect(drawn.size).to.equal(1_000);
    expect([...drawn].filter((serial) => !/^[0-9a-f]{32}$/.test(serial))).to.deep.equal([]);
  });

  it('never begins with a zero octet, which no INTEGER may', () => {
    const serials = new SerialSource((pool) => pool.fill(0));
    expect(serials.next().toString('hex')).to.equal(`01${'00'.repeat(15)}`);
  });

  it('asks for randomness once in 256 serials', () => {
    let asked = 0;
    const serials = new SerialSource((pool) => pool.fill(++asked));
    for (let count = 0; count < 257; count++) serials.next();
    expect(asked).to.equal(2);
  });
});
