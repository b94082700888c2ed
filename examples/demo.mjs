// `npm run demo`: makes a small dataset, runs the real pipeline on it as a user would, and says where to look.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const root = new URL('../', import.meta.url)
const path = (relative) => fileURLToPath(new URL(relative, root))
const dataset = path('demo/dataset')
const output = path('demo/output')
const state = path('demo/state')
const network = path('test/checkpoints/tiny_hp.pkl')

console.log('1. Making a small dataset in demo/dataset …')
const images = await makeDataset()
console.log(`   ${images.length} images, named the origin's way: index, then yaw, pitch and roll in degrees`)

console.log('2. Running the pipeline: producer → queue on a private Redis → worker → demo/output …')
const options = ['--dataset', dataset, '--adapter', 'filename', '--output', output, '--network', network]
const command = ['run', ...options, '--objective', 'each', '--state-folder', state, '--cache-folder', state]
console.log(`   $ headlight ${command.map((word) => word.replace(path(''), '')).join(' ')}\n`)
const run = spawnSync(process.execPath, [path('dist/cli/main.js'), ...command], { stdio: 'inherit' })
if (run.status !== 0) process.exit(run.status ?? 1)

const set = latestResultSet()
console.log(`
3. Look at the result:
   report   demo/output/${set}/report/index.html (open it in a browser)
   a map    demo/output/${set}/maps/yaw/${images[0]}

The demo's network is untrained: its weights are random numbers. Maps and angles are computed the way they would be for
a real network, but they mean nothing about heads, and the errors against the labels are large. For images and a network
of your own:

   $ node dist/cli/main.js run --dataset FOLDER --output FOLDER --network FILE.pkl`)

/**
 * The four images of the tests, and of each a mirrored, a brighter and a closer variant, with labels to match. Written
 * only where they are missing, so that a second demo finds nothing new to compute.
 */
async function makeDataset() {
  mkdirSync(dataset, { recursive: true })
  const names = []
  const sources = readdirSync(path('test/images')).filter((name) => name.endsWith('.png'))
  for (const [index, source] of sources.sort().entries()) {
    const [, yaw, pitch, roll] = /_([+-]\d+)_([+-]\d+)_([+-]\d+)\.png$/.exec(source).map(Number)
    const image = () => sharp(readFileSync(path(`test/images/${source}`)))
    const { width, height } = await image().metadata()
    // A mirror turns yaw and roll around and leaves pitch; light and distance change no pose.
    const inner = { left: width >> 3, top: height >> 3, width: width - (width >> 2), height: height - (height >> 2) }
    const variants = [
      [image(), [yaw, pitch, roll]],
      [image().flop(), [-yaw, pitch, -roll]],
      [image().modulate({ brightness: 1.3 }), [yaw, pitch, roll]],
      [image().extract(inner), [yaw, pitch, roll]],
    ]
    for (const [variant, [picture, angles]] of variants.entries()) {
      const number = String(4 * index + variant + 1).padStart(8, '0')
      const name = `DEMO${number}_${angles.map(signed).join('_')}.png`
      names.push(name)
      if (existsSync(`${dataset}/${name}`)) continue
      // Renamed when whole: an interrupted demo must not leave half an image that the next one takes for done.
      await picture.png().toFile(`${dataset}/.${number}`)
      renameSync(`${dataset}/.${number}`, `${dataset}/${name}`)
    }
  }
  return names
}

function signed(degrees) {
  return degrees < 0 ? String(degrees) : `+${degrees}`
}

/** Demos of other versions may have left result sets of their own; the one at work last is this demo's. */
function latestResultSet() {
  const sets = readdirSync(output).filter((name) => existsSync(`${output}/${name}/set.json`))
  const ranAt = (name) => statSync(`${output}/${name}/runs`).mtimeMs
  return sets.sort((a, b) => ranAt(b) - ranAt(a))[0]
}
