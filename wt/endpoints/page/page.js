'use strict';

const $ = (id) => document.getElementById(id);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

// options returns those of a session: the hash of the certificate, if there is one.
function options(extra) {
  const text = $('hash').value.trim();
  if (!text) return extra;
  const value = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return { ...extra, serverCertificateHashes: [{ algorithm: 'sha-256', value }] };
}

function url(path) {
  return $('server').value.replace(/\/+$/, '') + path;
}

// limited fails if a promise takes longer than some seconds.
function limited(promise, what, seconds = 10) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing in ${seconds} s`)), 1000 * seconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function open(path, extra = {}) {
  const session = new WebTransport(url(path), options(extra));
  session.closed.catch(() => {}); // those who care look at it
  await limited(session.ready, 'opening the session');
  return session;
}

// readAll returns the bytes of a stream to its end.
async function readAll(readable) {
  const chunks = [];
  let length = 0;
  for (const reader = readable.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  const all = new Uint8Array(length);
  for (let at = 0; chunks.length;) {
    const chunk = chunks.shift();
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

async function send(writable, bytes) {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

async function next(readable) {
  const reader = readable.getReader();
  const { done, value } = await reader.read();
  reader.releaseLock();
  if (done) throw new Error('the server opened no stream');
  return value;
}

// pattern is what the server's sources send.
const pattern = (n) => Uint8Array.from({ length: n }, (_, i) => i);

function same(got, want, what) {
  if (got.length !== want.length) throw new Error(`${what}: ${got.length} bytes of ${want.length}`);
  const at = got.findIndex((b, i) => b !== want[i]);
  if (at >= 0) throw new Error(`${what}: byte ${at} is ${got[at]}, not ${want[at]}`);
}

function equal(got, want, what) {
  if (got !== want) throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
}

function rate(bytes, begin) {
  return `${bytes / 1e6} MB, ${(8 * bytes / 1000 / (performance.now() - begin)).toFixed(1)} Mbit/s`;
}

async function withSession(path, extra, use) {
  const session = await open(path, extra);
  try {
    return await limited(use(session), 'the exchange', 30);
  } finally {
    try { session.close(); } catch { /* it has ended */ }
  }
}

async function refused(path) {
  const session = await open(path).catch(() => null);
  if (session) {
    session.close();
    throw new Error('it was opened');
  }
}

async function echoed(session, bytes) {
  const stream = await session.createBidirectionalStream();
  const [got] = await Promise.all([readAll(stream.readable), send(stream.writable, bytes)]);
  same(got, bytes, 'the echo');
}

// readBaton returns the last byte of a message of Devious Baton, and checks
// that there is nothing but padding before it.
async function readBaton(readable) {
  const bytes = await readAll(readable);
  const prefix = 1 << (bytes[0] >> 6);
  let padding = bytes[0] & 0x3f;
  for (let i = 1; i < prefix; i++) padding = 256 * padding + bytes[i];
  equal(bytes.length, prefix + padding + 1, 'the length of a message');
  return bytes[bytes.length - 1];
}

// passBatons plays the client's end of Devious Baton until the server closes the session, or the
// last of the batons has arrived here. It returns how many messages came.
async function passBatons(session, batons) {
  let received = 0;
  const next = (baton) => Uint8Array.of(0, (baton + 1) % 256);
  const arrived = new Promise((resolve, reject) => {
    // take reads a message and answers it, unless the baton has arrived.
    const take = async (readable, answer) => {
      const baton = await readBaton(readable);
      received++;
      if (baton !== 0) {
        if (baton === 255) batons--; // it arrives at the server
        await answer(baton);
      } else if (--batons === 0) {
        resolve();
      }
    };
    const ignore = (error) => error.source === 'session' || reject(error);
    each(session.incomingUnidirectionalStreams, (stream) => take(stream, async (baton) => {
      const answer = await session.createBidirectionalStream();
      await send(answer.writable, next(baton));
      await take(answer.readable, async (baton) => send(await session.createUnidirectionalStream(), next(baton)));
    }).catch(ignore));
    each(session.incomingBidirectionalStreams, (stream) => take(stream.readable, (baton) => send(stream.writable, next(baton))).catch(ignore));
  });
  const { closeCode } = (await Promise.race([session.closed, arrived])) || {};
  equal(closeCode || 0, 0, 'the close code');
  return received;
}

// checks are run one after the other. What one returns is shown.
const checks = {
  'echo on a bidirectional stream': () => withSession('/echo', {}, (s) => echoed(s, pattern(100_000))),
  'echo on a unidirectional stream': () => withSession('/echo', {}, async (s) => {
    const bytes = pattern(100_000);
    const stream = await s.createUnidirectionalStream();
    const [got] = await Promise.all([
      next(s.incomingUnidirectionalStreams).then(readAll), send(stream, bytes),
    ]);
    same(got, bytes, 'the echo');
  }),
  'echo on 100 streams at once': () => withSession('/echo', {}, async (s) => {
    await Promise.all(Array.from({ length: 100 }, (_, i) => echoed(s, pattern(1000 + i))));
  }),
  'echo of a datagram': () => withSession('/echo', {}, async (s) => {
    const writable = s.datagrams.createWritable ? s.datagrams.createWritable() : s.datagrams.writable;
    const writer = writable.getWriter();
    const timer = setInterval(() => writer.write(pattern(100)).catch(() => {}), 200); // datagrams may be lost
    writer.write(pattern(100));
    try {
      same(await next(s.datagrams.readable), pattern(100), 'the echo');
    } finally {
      clearInterval(timer);
    }
    return `at most ${s.datagrams.maxDatagramSize} bytes`;
  }),
  'sending bulk data': () => withSession('/sink', {}, async (s) => {
    const bytes = Number($('bytes').value);
    const begin = performance.now();
    const stream = await s.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    const chunk = pattern(100_000);
    for (let left = bytes; left > 0; left -= chunk.length) await writer.write(chunk.subarray(0, left));
    await writer.close();
    equal(decoder.decode(await readAll(stream.readable)), String(bytes), 'the number of bytes received');
    return rate(bytes, begin);
  }),
  'receiving bulk data': () => withSession(`/source?bytes=${$('bytes').value}`, {}, async (s) => {
    const bytes = Number($('bytes').value);
    const begin = performance.now();
    const got = await readAll(await next(s.incomingUnidirectionalStreams));
    same(got, pattern(bytes), 'the data');
    return rate(bytes, begin);
  }),
  'receiving a bidirectional stream': () => withSession('/source?bytes=1000&kind=bidi', {}, async (s) => {
    const stream = await next(s.incomingBidirectionalStreams);
    same(await readAll(stream.readable), pattern(1000), 'the data');
  }),
  'receiving a datagram': () => withSession('/source?bytes=100000&kind=datagram', {}, async (s) => {
    equal((await next(s.datagrams.readable)).length, 1000, 'the size');
  }),
  'a reset has its code': () => withSession('/reset?code=42', {}, async (s) => {
    const stream = await s.createBidirectionalStream();
    stream.writable.getWriter().write(pattern(1)).catch(() => {});
    const error = await readAll(stream.readable).then(() => { throw new Error('no reset'); }, (e) => e);
    equal(error.streamErrorCode, 42, 'the code');
  }),
  'stop sending has its code': () => withSession('/reset?code=43', {}, async (s) => {
    const writer = (await s.createUnidirectionalStream()).getWriter();
    writer.write(pattern(1)).catch(() => {});
    const error = await writer.closed.then(() => { throw new Error('not stopped'); }, (e) => e);
    equal(error.streamErrorCode, 43, 'the code');
  }),
  'the server closes with code and reason': () => withSession('/close?code=42&reason=bye', {}, async (s) => {
    const { closeCode, reason } = await s.closed;
    equal(closeCode, 42, 'the code');
    equal(reason, 'bye', 'the reason');
  }),
  'three batons are passed until they arrive': () => withSession('/webtransport/devious-baton?baton=200&count=3', {}, async (s) => {
    equal(await passBatons(s, 3), 3 * 29, 'the number of messages');
  }),
  'the server drains the session': () => withSession('/drain?after=10ms', {}, async (s) => {
    if (!s.draining) return 'this browser does not tell';
    await s.draining;
  }),
  'a subprotocol is chosen': () => withSession('/protocols', { protocols: ['wtsim-1', 'other'] }, async (s) => {
    if (s.protocol === undefined) return 'this browser does not tell';
    equal(s.protocol, 'wtsim-1', 'the subprotocol');
  }),
  'a refused session is not opened': () => refused('/refuse?status=403'),
  'the request': () => withSession('/headers', {}, async (s) => {
    const request = JSON.parse(decoder.decode(await readAll(await next(s.incomingUnidirectionalStreams))));
    equal((request.header.Origin || [])[0], location.origin, 'the origin');
    return `${request.draft}, :protocol ${request.protocol}`;
  }),
  'an unknown parameter is refused': () => refused('/echo?no-such=1'),
};

async function runChecks() {
  $('run').disabled = true;
  let failed = 0;
  const rows = Object.keys(checks).map((name) => {
    const row = $('checks').insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = '…';
    row.insertCell();
    return row;
  });
  $('checks').replaceChildren(...rows);
  $('verdict').textContent = 'running';
  $('verdict').className = '';
  for (const row of rows) {
    const [name, result, time] = row.cells;
    const begin = performance.now();
    try {
      result.textContent = '✓ ' + (await checks[name.textContent]() || '');
      result.className = 'good';
    } catch (error) {
      result.textContent = '✗ ' + (error.message || error);
      result.className = 'bad';
      failed++;
    }
    time.textContent = `${Math.round(performance.now() - begin)} ms`;
  }
  $('verdict').textContent = failed ? `${failed} of ${rows.length} failed` : `all ${rows.length} passed`;
  $('verdict').className = failed ? 'bad' : 'good';
  $('run').disabled = false;
}

// The session by hand.
let session = null;

const mostLines = 200; // of the log

function log(text) {
  const line = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toISOString().slice(11, 23) + ' ';
  line.append(time, text.length > 500 ? text.slice(0, 500) + '…' : text);
  $('log').prepend(line);
  while ($('log').childElementCount > mostLines) $('log').lastElementChild.remove();
}

function show(open, text) {
  $('state').textContent = text;
  $('open').disabled = open;
  for (const button of document.querySelectorAll('#sending button, #closing button')) button.disabled = !open;
}

// each handles what a stream of streams or datagrams brings, until it ends.
async function each(readable, handle) {
  try {
    for (const reader = readable.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return;
      handle(value);
    }
  } catch { /* the session has ended, which is said elsewhere */ }
}

function logStream(readable, what) {
  readAll(readable).then(
    (bytes) => log(`${what}: ${bytes.length} bytes: ${decoder.decode(bytes.subarray(0, 400))}`),
    (error) => log(`${what}: reset, code ${error.streamErrorCode ?? 'none'}: ${error.message}`),
  );
}

async function openSession() {
  const protocols = $('protocols').value.split(',').map((p) => p.trim()).filter(Boolean);
  show(true, 'opening');
  let s;
  try {
    session = s = await open($('path').value, protocols.length ? { protocols } : {});
  } catch (error) {
    log(`not opened: ${error.message}`);
    show(false, 'closed');
    return;
  }
  log(`opened ${url($('path').value)}` + (s.protocol ? `, protocol ${s.protocol}` : ''));
  show(true, 'open');
  each(s.incomingUnidirectionalStreams, (stream) => logStream(stream, 'unidirectional stream'));
  each(s.incomingBidirectionalStreams, (stream) => logStream(stream.readable, 'bidirectional stream'));
  each(s.datagrams.readable, (bytes) => log(`datagram: ${bytes.length} bytes: ${decoder.decode(bytes)}`));
  if (s.draining) s.draining.then(() => log('the server drains the session'), () => {});
  s.closed.then(
    ({ closeCode, reason }) => log(`closed with code ${closeCode}, reason ${JSON.stringify(reason)}`),
    (error) => log(`ended: ${error.message}`),
  ).finally(() => show(false, 'closed'));
}

const sending = {
  async bidi(bytes) {
    const stream = await session.createBidirectionalStream();
    logStream(stream.readable, 'answer');
    await send(stream.writable, bytes);
  },
  async uni(bytes) {
    await send(await session.createUnidirectionalStream(), bytes);
  },
  async datagram(bytes) {
    const writable = session.datagrams.createWritable ? session.datagrams.createWritable() : session.datagrams.writable;
    const writer = writable.getWriter();
    await writer.write(bytes);
    writer.releaseLock();
  },
};

function start() {
  const { port, hash } = document.body.dataset;
  $('server').value = `https://${location.hostname}:${port}`;
  $('hash').value = hash;
  // A link may say otherwise: /?server=https://127.0.0.1:4434&bytes=1000000#run
  const query = new URLSearchParams(location.search);
  for (const id of ['server', 'hash', 'bytes']) $(id).value = query.get(id) ?? $(id).value;
  if (typeof WebTransport === 'undefined') {
    $('unsupported').hidden = false;
    $('unsupported').textContent = window.isSecureContext
      ? 'This browser has no WebTransport.'
      : `Browsers offer WebTransport to secure pages only: open http://localhost:${location.port}/.`;
    $('run').disabled = $('open').disabled = true;
    return;
  }
  $('run').addEventListener('click', runChecks);
  $('session').addEventListener('submit', (event) => { event.preventDefault(); openSession(); });
  $('sending').addEventListener('submit', (event) => {
    event.preventDefault();
    const { name } = event.submitter;
    sending[name](encoder.encode($('text').value)).catch((error) => log(`not sent: ${error.message}`));
  });
  $('closing').addEventListener('submit', (event) => {
    event.preventDefault();
    session.close({ closeCode: Number($('code').value), reason: $('reason').value });
  });
  if (location.hash === '#run') runChecks();
}

start();
