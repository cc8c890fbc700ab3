// Loads an Amplify backend and has it synthesized. Run by synthesis.py, whose only argument says in JSON
// what to do:
//   entry    the file to load, amplify/backend.ts or the like
//   tsx      the entry point of tsx that loads TypeScript: its API, or its loader if it is old
//   folder   where results go: result.json, and folders for what others write meanwhile
//   seconds  how long all of it may take
// The working directory is the folder that holds amplify/. CDK has its settings from the environment.
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';

Error.stackTraceLimit = 30; // the project's own lines are often below ten of Amplify's
const { entry, tsx, folder, seconds } = JSON.parse(process.argv[2]);
const project = process.cwd();
const assembly = process.env.CDK_OUTDIR;
const exit = process.exit.bind(process);
const writeFile = fs.writeFileSync.bind(fs);
const exists = fs.existsSync.bind(fs);
const loaded = new Set();

/** Writes the result and ends the process, even if the project left timers or servers open. */
function finish(result) {
  if (process.cwd() !== project) process.chdir(project);
  for (const file of Object.keys(createRequire(entry).cache)) loaded.add(file.split('?')[0]);
  writeFile(path.join(folder, 'result.json'), JSON.stringify({ ...result, loaded: [...loaded] }));
  exit(result.error ? 1 : 0);
}

/** What stands between an error's message and the details that Amplify adds. */
const between = (message) => (/[.:!]$/.test(message) ? ' ' : ': ');

/** What an error says, without the long serializedError that Amplify adds. */
function described(error, depth = 0) {
  if (!(error instanceof Error) && typeof error?.message !== 'string') {
    const message = typeof error === 'string' ? error : inspect(error);
    return { name: 'thrown value', message, stack: '' };
  }
  const { name, message, stack, cause, details, resolution } = error;
  const text = (value) => String(value ?? '').replaceAll(/\?namespace=\d+/g, ''); // it is tsx's
  return {
    name: text(name ?? 'Error'),
    message: text(message) + (typeof details === 'string' ? between(message) + details : ''),
    stack: text(stack),
    resolution: typeof resolution === 'string' ? resolution : undefined,
    cause: cause && depth < 8 ? described(cause, depth + 1) : undefined,
  };
}

const fail = (error) => finish({ error: described(error) });

/** Sends what Amplify writes into the project for editors, .amplify/generated, to the folder. */
function keepProjectUnchanged() {
  const generated = path.join(project, '.amplify', 'generated');
  const elsewhere = (file) => {
    if (typeof file !== 'string' || !path.resolve(file).startsWith(generated)) return file;
    return path.join(folder, 'generated', path.relative(generated, path.resolve(file)));
  };
  for (const name of ['mkdirSync', 'writeFileSync']) {
    const original = fs[name];
    fs[name] = (file, ...rest) => original.call(fs, elsewhere(file), ...rest);
  }
  // CDK requires a lock file even if it bundles no function. Then it does not read it.
  const names = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];
  const hasLockFile = (at) =>
    names.some((name) => exists(path.join(at, name))) ||
    (path.dirname(at) !== at && hasLockFile(path.dirname(at)));
  const missing = hasLockFile(project) ? undefined : path.join(project, names[0]);
  fs.existsSync = (file) => file === missing || exists(elsewhere(file));
  syncBuiltinESMExports();
}

async function load() {
  const url = pathToFileURL(entry).href;
  const api = await import(pathToFileURL(tsx).href);
  if (!api.tsImport) {
    // An old tsx. Its loader is registered now, and its traces have lines of compiled code without this.
    process.setSourceMapsEnabled(true);
    return import(url);
  }
  const onImport = (each) => {
    if (each.startsWith('file:')) loaded.add(fileURLToPath(each.split('?')[0]));
  };
  return api.tsImport(url, { parentURL: pathToFileURL(path.join(project, 'package.json')).href, onImport });
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
process.exit = (code) => {
  // Called by the project.
  writeFile(path.join(folder, 'result.json'), JSON.stringify({ ended: new Error().stack }));
  exit(code);
};
const watch = new Worker(new URL('watch.mjs', import.meta.url), { workerData: { folder, seconds } });
watch.on('error', () => {}); // without this thread, seedctl ends the process, some seconds later
watch.unref();
keepProjectUnchanged();
try {
  await load();
  await new Promise((done) => setImmediate(done)); // until then Node reports rejections that nobody handles
  process.emit('message', 'amplifySynth', undefined);
  // Older packages do not know that message. CDK synthesizes when the process is about to end.
  if (!exists(path.join(assembly, 'manifest.json'))) process.emit('beforeExit', 0);
  finish({});
} catch (error) {
  fail(error);
}
