// `npm run demo`: renders heads, runs the real pipeline on them as a user would, and says where to look.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const path = (relative) => fileURLToPath(new URL(relative, root))
const shown = (word) => word.replace(path(''), '')
const count = 2400
// The number in the name: a demo of an earlier version left fewer heads in a folder of its own.
const dataset = path(`demo/heads-${count}`)
const output = path('demo/output')
const state = path('demo/state')
const network = path('examples/models/heads.pkl')
// Not among the seeds of the training or of the model card's measurement.
const seed = 30_000

console.log(`1. Rendering ${count} heads into ${shown(dataset)}, half a minute the first time …`)
renderHeads()
const images = readdirSync(dataset).sort()
console.log('   named the origin’s way: number, then yaw, pitch and roll in degrees')

console.log('2. Running the pipeline: producer → queue on a private Redis → worker → demo/output …')
const options = ['--dataset', dataset, '--adapter', 'filename', '--output', output, '--network', network]
const command = ['run', ...options, '--objective', 'each', '--state-folder', state, '--cache-folder', state]
console.log(`   $ headlight ${command.map(shown).join(' ')}\n`)
const run = spawnSync(process.execPath, [path('dist/cli/main.js'), ...command], { stdio: 'inherit' })
if (run.status !== 0) process.exit(run.status ?? 1)

const set = latestResultSet()
console.log(`
3. Look at the result:
   report   demo/output/${set}/report/index.html (open it in a browser: atlas, errors over pose, maps)
   a map    demo/output/${set}/maps/yaw/${images[0]}

4. Mean absolute error in degrees:
${errorTable()}

The network has learned from heads rendered like these and has never seen a photograph. What its maps say about heads,
and what they do not, stands in examples/models/MODEL_CARD.md. For images and a network of your own:

   $ node dist/cli/main.js run --dataset FOLDER --output FOLDER --network FILE.pkl`)

/** Once, into a folder that gets its name when all are there: an interrupted demo must not leave half a dataset. */
function renderHeads() {
  if (existsSync(dataset)) return
  const unfinished = `${dataset}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  const words = ['--layout', 'filename', '--count', String(count), '--seed', String(seed), '--side', '128', unfinished]
  const program = ['--import', 'tsx', path('examples/heads/main.ts'), ...words]
  const rendering = spawnSync(process.execPath, program, { cwd: path(''), stdio: 'inherit' })
  if (rendering.status !== 0) process.exit(rendering.status ?? 1)
  renameSync(unfinished, dataset)
}

/** Demos of other versions may have left result sets of their own; the one at work last is this demo's. */
function latestResultSet() {
  const sets = readdirSync(output).filter((name) => existsSync(`${output}/${name}/set.json`))
  const ranAt = (name) => statSync(`${output}/${name}/runs`).mtimeMs
  return sets.sort((a, b) => ranAt(b) - ranAt(a))[0]
}

/** What this run measured, beside what the model card says. */
function errorTable() {
  const runs = `${output}/${set}/runs`
  const summaries = readdirSync(runs).filter((id) => existsSync(`${runs}/${id}/summary.json`))
  const { mae } = JSON.parse(readFileSync(`${runs}/${summaries.sort().at(-1)}/summary.json`, 'utf8'))
  const card = readFileSync(path('examples/models/MODEL_CARD.md'), 'utf8')
  const stated = /^\| error \(°\) \| ([\d.]+) +\| ([\d.]+) +\| ([\d.]+) +\|/m.exec(card)?.slice(1) ?? []
  const row = (name, values) =>
    `   ${name.padEnd(12)}${values.map((value) => Number(value).toFixed(2).padStart(8)).join('')}`
  return [
    `   ${''.padEnd(12)}${['yaw', 'pitch', 'roll'].map((name) => name.padStart(8)).join('')}`,
    row('this run', [mae.yaw, mae.pitch, mae.roll]),
    row('model card', stated),
  ].join('\n')
}
