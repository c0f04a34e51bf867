// Runs the scripts of the tests. Each is the body of an async function, called
// with what the test gives it and the helpers below; what it returns, or
// throws, is posted back.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The parts of an error that tests compare. */
const describe = (e) => {
  const d = { name: e?.name ?? String(e) };
  if (e instanceof WebTransportError) {
    d.source = e.source;
    if (e.streamErrorCode !== null) d.code = e.streamErrorCode;
  }
  return d;
};

/** What became of a promise: {value} or {error}. */
const outcome = (promise) =>
  promise.then((value) => ({ value }), (e) => {
    console.log("failed:", String(e));
    return { error: describe(e) };
  });

/** Calls f for each chunk of a readable stream, as it comes. */
const each = async (readable, f) => {
  const reader = readable.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    await f(value);
  }
};

/** All bytes of a readable stream of chunks. */
const readAll = async (readable) => {
  const chunks = [];
  await each(readable, (chunk) => chunks.push(chunk));
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
};

const readText = async (readable) => decoder.decode(await readAll(readable));

/** Writes bytes, or text, and ends the stream. */
const send = async (writable, data) => {
  const writer = writable.getWriter();
  await writer.write(typeof data === "string" ? encoder.encode(data) : data);
  await writer.close();
};

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

/** The bytes that the servers of the tests send and expect. */
const pattern = (length) => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8)) & 0xff;
  return bytes;
};

/** An error that carries a code for a stream. Browsers with the older constructor allow no code above 255. */
const streamError = (streamErrorCode) => {
  const options = { source: "stream", streamErrorCode };
  try {
    return new WebTransportError("", options);
  } catch {
    return new WebTransportError(options);
  }
};

const helpers = { encoder, decoder, describe, outcome, readAll, readText, send, sha256, pattern, streamError, each };

const kept = []; // a session that nothing refers to may be closed at any time

const run = async ({ id, url, hash, script, args }) => {
  const open = (path = "", options = {}) => {
    const session = new WebTransport(url + path, {
      serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.fromHex(hash) }],
      ...options,
    });
    kept.push(session);
    session.closed.catch(() => {});
    return session;
  };
  const connect = async (path, options) => {
    const session = open(path, options);
    await session.ready;
    return session;
  };
  const names = { ...helpers, open, connect, args };
  const AsyncFunction = run.constructor;
  const report = { id };
  try {
    report.value = (await new AsyncFunction(...Object.keys(names), script)(...Object.values(names))) ?? null;
  } catch (e) {
    report.thrown = `${e?.stack ?? e} ${JSON.stringify(describe(e))}`;
  }
  await fetch("/result", { method: "POST", body: JSON.stringify(report) });
};

const log = (kind, values) => fetch("/console", { method: "POST", body: `${kind}: ${values.join(" ")}` });
for (const kind of ["log", "warn", "error"]) console[kind] = (...values) => log(kind, values);
addEventListener("error", (e) => log("error", [e.message]));
addEventListener("unhandledrejection", (e) => log("unhandled rejection", [e.reason]));

log("browser", [navigator.userAgent]);
for (;;) {
  const next = await fetch("/case");
  if (!next.ok) break;
  const testCase = await next.json();
  if (testCase.reload) {
    location.reload();
    break;
  }
  run(testCase);
}
