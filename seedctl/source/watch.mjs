// Run beside synth.mjs in a thread of its own: when the time is over, writes where the project's code is
// at that moment, such as in an endless loop, and ends the process.
import fs from 'node:fs';
import { Session } from 'node:inspector';
import { SourceMap } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';

const PAUSE_SECONDS = 2; // code that waits, and runs nothing, cannot be paused

function finish(stack) {
  fs.writeFileSync(path.join(workerData.folder, 'result.json'), JSON.stringify({ late: stack }));
  process.kill(process.pid, 'SIGKILL');
}

/** The line of a stack trace for a frame, by its source map if there is one. */
function line({ url, location, functionName }, script) {
  let [row, column] = [location.lineNumber, location.columnNumber];
  const data = /^data:application\/json[^,]*;base64,(.*)$/s.exec(script?.sourceMapURL ?? '');
  if (data) {
    const map = JSON.parse(Buffer.from(data[1], 'base64').toString());
    const entry = new SourceMap(map).findEntry(row, column);
    if (entry.originalLine !== undefined) [row, column] = [entry.originalLine, entry.originalColumn];
  }
  const file = (url ||= script?.url ?? '').startsWith('file:') ? fileURLToPath(url.split('?')[0]) : url;
  return `    at ${functionName || '<anonymous>'} (${file}:${row + 1}:${column + 1})`;
}

setTimeout(() => {
  const session = new Session();
  session.connectToMainThread();
  const scripts = new Map();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params));
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    finish(callFrames.map((frame) => line(frame, scripts.get(frame.location.scriptId))).join('\n'));
  });
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
  setTimeout(() => finish(''), PAUSE_SECONDS * 1000);
}, workerData.seconds * 1000);
