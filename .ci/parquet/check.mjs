// Opens the tables of a recording with DuckDB and checks their columns and rows, and
// sums of them against run.json and metrics.json:
//
//   node check.mjs RECORDING
//
// It prints what example.sql prints of the recording.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const dir = process.argv[2];
const json = (file) => JSON.parse(readFileSync(join(dir, file), 'utf8'));
const run = json('run.json');
const metrics = json('metrics.json');
const db = await (await DuckDBInstance.create()).connect();

const rows = async (sql) => {
  const result = await db.runAndReadAll(sql.replaceAll(/'(\w+\.parquet)'/g, (_, file) => `'${join(dir, file)}'`));
  return result.getRows().map((row) => row.map((v) => (typeof v === 'bigint' ? Number(v) : v)));
};

let checks = 0;
function same(what, got, want) {
  checks++;
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    console.error(`${what}:\n  in DuckDB ${JSON.stringify(got)}\n  expected  ${JSON.stringify(want)}`);
    process.exitCode = 1;
  }
}

const columns = {
  packets: 'id BIGINT, sent BIGINT, done BIGINT, link VARCHAR, direction VARCHAR, source VARCHAR, dest VARCHAR, size INTEGER, ' +
    'ecn INTEGER, sent_ecn INTEGER, fate VARCHAR, reason VARCHAR, queue_delay BIGINT',
  series: 'time BIGINT, name VARCHAR, entity VARCHAR, value DOUBLE',
  events: 'time BIGINT, kind VARCHAR, entity VARCHAR, side VARCHAR, value BIGINT, text VARCHAR',
};
for (const [table, want] of Object.entries(columns)) {
  const described = await rows(`DESCRIBE FROM '${table}.parquet'`);
  same(`columns of ${table}`, described.map(([name, type]) => `${name} ${type}`).join(', '), want);
  same(`rows of ${table}`, (await rows(`SELECT count(*) FROM '${table}.parquet'`))[0][0], run.rows[table]);
  same(`documented columns of ${table}`,
    (await rows(`SELECT count(*) FROM parquet_kv_metadata('${table}.parquet') WHERE decode(key) LIKE 'column.%' AND octet_length(value) > 0`))[0][0],
    described.length);
}

for (const link of run.links) {
  for (const direction of ['forward', 'reverse']) {
    const counters = link[direction];
    const count = async (where) => {
      const [[packets, bytes]] = await rows(`SELECT count(*), coalesce(sum(size + ${counters.overhead}), 0)::BIGINT FROM 'packets.parquet'
        WHERE link = '${link.name}' AND direction = '${direction}' AND ${where}`);
      return { packets, bytes };
    };
    const entity = `links.${link.name}.${direction}`;
    const out = await count(`fate = 'delivered'`);
    same(`${entity}: delivered`, out, counters.out);
    same(`${entity}: metrics`, [out.bytes, out.packets], [metrics[`${entity}.bytes`].value, metrics[`${entity}.delivered`].value]);
    same(`${entity}: in transit`, await count(`fate = 'in_transit'`), counters.queued);
    for (const { reason, ...dropped } of counters.dropped ?? []) {
      same(`${entity}: dropped by ${reason}`, await count(`fate = 'dropped' AND reason = '${reason}'`), dropped);
    }
  }
}

for (const { entity } of run.flows) {
  const [[bytes]] = await rows(`SELECT max(value) FROM 'series.parquet' WHERE name = 'flow.delivered' AND entity = '${entity}'`);
  if (bytes !== null) {
    same(`${entity}: bytes`, bytes, metrics[`${entity}.bytes`].value);
  }
  const [[took]] = await rows(`SELECT (max(time) - min(time)) / 1e9 FROM 'events.parquet'
    WHERE kind IN ('flow.started', 'flow.finished') AND entity = '${entity}' HAVING count(*) = 2`).then((r) => (r.length ? r : [[undefined]]));
  same(`${entity}: completion time`, took, metrics[`${entity}.completion_time`]?.value);
}

const example = await db.runAndReadAll(readFileSync(new URL('example.sql', import.meta.url), 'utf8').replace(`'packets.parquet'`, `'${join(dir, 'packets.parquet')}'`));
const table = [example.columnNames(), ...example.getRows().map((row) => row.map(String))];
const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
for (const row of table) {
  console.log(row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
}
console.error(`DuckDB ${(await rows('SELECT version()'))[0][0]}: ${checks} checks`);
