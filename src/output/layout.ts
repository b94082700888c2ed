import type { ErrorCode } from '../base/errors.ts'

/** Keys of an output store. Everything that writes or reads one asks here; nobody joins strings elsewhere. */
export const layout = {
  set: (set: string) => `${set}/set.json`,
  hold: (set: string) => `${set}/lock.json`,
  current: (set: string) => `${set}/current.json`,
  network: (set: string, file: string) => `${set}/network/${file}`,
  /** The second file of an ONNX network that has one. */
  externalData: (set: string, file: string) => `${set}/network/${file}`,
  activations: (set: string, file: string) => `${set}/network/${file}.activations.json`,
  table: (set: string) => `${set}/angles.parquet`,
  report: (set: string) => `${set}/report/index.html`,
  /** What the next report need not draw again. */
  reportPictures: (set: string) => `${set}/report/pictures.bin`,
  runs: (set: string) => `${set}/runs/`,
  run: (set: string, run: string) => `${set}/runs/${run}/run.json`,
  flags: (set: string, run: string) => `${set}/runs/${run}/flags.json`,
  manifest: (set: string, run: string) => `${set}/runs/${run}/manifest/`,
  manifestPart: (set: string, run: string, part: number) => `${set}/runs/${run}/manifest/${digits(part, 5)}.jsonl.gz`,
  manifestDone: (set: string, run: string) => `${set}/runs/${run}/manifest/done`,
  records: (set: string, run: string) => `${set}/runs/${run}/records/`,
  recordFile: (set: string, run: string, part: number, offset: number) =>
    `${set}/runs/${run}/records/${shardName(part, offset)}.jsonl`,
  /** `samples`: see `samplesMark`. Of runs of earlier versions it is always empty. */
  magnitudeFile: (set: string, run: string, part: number, offset: number, samples = '') =>
    `${set}/runs/${run}/records/${shardFile(part, offset, samples)}.mag`,
  inputFile: (set: string, run: string, part: number, offset: number, samples = '') =>
    `${set}/runs/${run}/records/${shardFile(part, offset, samples)}.input`,
  leftOut: (set: string, run: string) => `${set}/runs/${run}/left-out.json`,
  summary: (set: string, run: string) => `${set}/runs/${run}/summary.json`,
  failures: (set: string, run: string) => `${set}/runs/${run}/failures.csv`,
  runTable: (set: string, run: string) => `${set}/runs/${run}/angles.parquet`,
  /** Where the small maps of each row of the run's table lie. */
  mapPlaces: (set: string, run: string) => `${set}/runs/${run}/map-places.bin`,
  aggregates: (set: string, run: string) => `${set}/runs/${run}/aggregates.json`,
  atlas: (set: string, run: string) => `${set}/runs/${run}/atlas.bin`,
  inputAtlas: (set: string, run: string) => `${set}/runs/${run}/atlas-inputs.bin`,
  /** Relative to the result set, as records name it. */
  map: (objective: string, sampleKey: string) => `${layout.mapFolder(objective)}/${mapKey(sampleKey)}`,
  /** The same without the image's own part. The report's script appends that itself, by the rule of `mapKey`. */
  mapFolder: (objective: string) => `maps/${objectiveFolder(objective)}`,
  /** Relative to the result set, as records name it. */
  gradient: (objective: string, sampleKey: string) => `gradients/${objectiveFolder(objective)}/${sampleKey}.npy`,
}

/**
 * Whether a key is one of those that grow while a run is closed: multipart uploads in S3. Only who has the hold of a
 * result set writes them.
 */
export function isWrittenUnderHold(set: string, key: string): boolean {
  if (!key.startsWith(`${set}/`)) return false
  return /^(runs\/[^/]+\/)?angles\.parquet$|^runs\/[^/]+\/(failures\.csv|map-places\.bin)$/.test(
    key.slice(set.length + 1),
  )
}

/** The sample's key, with `.png` appended unless it ends so already (`A.PNG` counts as ending so). */
function mapKey(sampleKey: string): string {
  return /\.png$/i.test(sampleKey) ? sampleKey : `${sampleKey}.png`
}

/** `00000-000256`: part and offset of a shard; sorts as the manifest does. */
export function shardName(part: number, offset: number): string {
  return `${digits(part, 5)}-${digits(offset, 6)}`
}

function shardFile(part: number, offset: number, samples: string): string {
  return `${shardName(part, offset)}${samples === '' ? '' : `.${samples}`}`
}

/** `yaw:bin:3` → `yaw-bin-3`: a colon is no character for a file name everywhere. */
function objectiveFolder(objective: string): string {
  return objective.replaceAll(':', '-')
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}

const longestName = 255 - '.npy'.length

/**
 * Whether a sample's key can be laid out below the output: no `..` or `.` parts, not absolute, no empty parts, no
 * control characters or backslashes, no part longer than file systems hold, no longer than S3 takes.
 */
export function refuseKey(sampleKey: string): Extract<ErrorCode, 'bad-key'> | undefined {
  const parts = sampleKey.split('/')
  const bad =
    parts.some((part) => part === '' || part === '.' || part === '..' || Buffer.byteLength(part) > longestName) ||
    /[\u0000-\u001f\u007f\\]/.test(sampleKey) ||
    Buffer.byteLength(sampleKey) > 800
  return bad ? 'bad-key' : undefined
}
