// Renders a dataset of heads whose poses are known exactly:
//   node --import tsx examples/heads/main.ts --layout filename|biwi|arrays [--count N] [--seed S] [--side PIXELS]
//        [--masks FOLDER] OUT
import { parseArgs } from 'node:util'
import { writeArrayDataset } from './arrayDataset.ts'
import { writeBiwiDataset } from './biwiDataset.ts'
import { writeFilenameDataset } from './filenameDataset.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layout: { type: 'string', default: 'filename' },
    count: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    side: { type: 'string', default: '128' },
    first: { type: 'string', default: '0' },
    masks: { type: 'string' },
  },
})
const [folder] = positionals
if (folder === undefined) throw new Error('name the folder that the dataset goes to')
const number = (name: 'count' | 'seed' | 'side' | 'first') => {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} takes a whole number, not ${values[name]}`)
  return value
}
const common = { folder, masks: values.masks, seed: number('seed'), count: number('count') }

switch (values.layout) {
  case 'filename':
    await writeFilenameDataset({ ...common, side: number('side') })
    break
  case 'biwi':
    await writeBiwiDataset(common)
    break
  case 'arrays':
    await writeArrayDataset({ ...common, first: number('first'), side: number('side') })
    break
  default:
    throw new Error(`--layout is filename, biwi or arrays, not ${values.layout}`)
}
