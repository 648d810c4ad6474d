/** What the demo writes on a terminal, and elsewhere. */

import { expect } from 'chai';
import { Screen, type ScreenStream } from '../../../../hack/demo/screen.ts';

/** A stream that keeps what is written. */
class Paper implements ScreenStream {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(options: { readonly isTTY: boolean; readonly columns?: number }) {
    this.isTTY = options.isTTY;
    this.columns = options.columns ?? 40;
  }

  write(text: string): void {
    this.text += text;
  }
}

function play(stream: Paper, env: Readonly<Record<string, string>>): string {
  const screen = new Screen(stream, env);
  screen.line('demo', 'here');
  screen.began('first');
  screen.passed('first', '1.3 s', ['a note']);
  screen.table(['AGENT', 'a']);
  screen.table(['AGENT', 'b']);
  screen.finalTable(['AGENT', 'c']);
  screen.failed('second', '2 ms', [
    ['expected', 'this'],
    ['seen', 'that\nand more'],
  ]);
  return stream.text;
}

describe('Screen', () => {
  it('writes each line once and no control characters elsewhere than on a terminal', () => {
    const wide = (left: string, right: string): string => `${left}${right.padStart(107 - left.length)}`;
    expect(play(new Paper({ isTTY: false }), {})).to.equal(
      [
        wide('demo', 'here'),
        wide(' ✓ first', '1.3 s'),
        wide('', 'a note'),
        'AGENT',
        'c',
        wide(' ✗ second', '2 ms'),
        '   expected  this',
        '   seen      that',
        '             and more',
        '',
      ].join('\n'),
    );
  });

  it('rewrites lines and colours marks on a terminal', () => {
    const clear = '\r\x1b[2K';
    expect(play(new Paper({ isTTY: true }), {})).to.equal(
      [
        `${clear}demo${'here'.padStart(36)}\n`,
        ` · first${clear} \x1b[32m✓\x1b[0m first${'1.3 s'.padStart(32)}\n`,
        `${'a note'.padStart(40)}\n`,
        `${clear}AGENT\n${clear}a\n`,
        `\x1b[2A${clear}AGENT\n${clear}b\n`,
        `\x1b[2A${clear}AGENT\n${clear}c\n`,
        `${clear} \x1b[31m✗\x1b[0m second${'2 ms'.padStart(31)}\n`,
        '   expected  this\n   seen      that\n             and more\n',
      ].join(''),
    );
  });

  it('leaves colours out where NO_COLOR is set, and rewrites all the same', () => {
    const text = play(new Paper({ isTTY: true }), { NO_COLOR: '1' });
    for (const color of ['\x1b[32m', '\x1b[31m']) expect(text).to.not.contain(color);
    expect(text).to.contain('\x1b[2A');
  });

  it('takes a dumb terminal for none', () => {
    const text = play(new Paper({ isTTY: true }), { TERM: 'dumb' });
    expect(text).to.not.contain('\x1b');
  });

  it('cuts lines of a table that would wrap and spoil the rewriting', () => {
    const stream = new Paper({ isTTY: true, columns: 10 });
    new Screen(stream, {}).table(['0123456789abc']);
    expect(stream.text).to.equal('\r\x1b[2K0123456789\n');
  });
});
