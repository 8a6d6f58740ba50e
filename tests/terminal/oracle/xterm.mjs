// The witness: @xterm/headless, from the folder named as the only argument. One JSON line {cols, rows, scrollback, data, sizes} in, one with its screen out.
import { createRequire } from 'node:module';
import readline from 'node:readline';

const headless = createRequire(`${process.argv[2]}/`)('@xterm/headless');
let failed = null;
process.on('uncaughtException', (error) => failed && failed(error));

function row(buffer, y) {
  return buffer.getLine(y).translateToString(true);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { cols, rows, scrollback, data, sizes } = JSON.parse(line);
  const terminal = new headless.Terminal({ cols, rows, scrollback, allowProposedApi: true });
  try {
    await new Promise((resolve, reject) => {
      failed = reject;
      terminal.write(data, resolve);
    });
    for (const [columns, height] of sizes) terminal.resize(columns, height);
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
    continue;
  } finally {
    failed = null;
  }
  const buffer = terminal.buffer.active;
  const at = (first, count) => Array.from({ length: count }, (_, y) => row(buffer, first + y));
  console.log(JSON.stringify({
    lines: at(buffer.baseY, terminal.rows),
    history: at(0, buffer.baseY),
    x: buffer.cursorX,
    y: buffer.cursorY,
    alternate: buffer.type === 'alternate',
  }));
  terminal.dispose();
}
