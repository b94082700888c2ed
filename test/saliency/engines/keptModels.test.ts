import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { KeptModels } from '../../../src/saliency/engines/keptModels.ts'

let folder: string
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'headlight-models-'))
  folder = join(parent, 'models')
  return () => rmSync(parent, { recursive: true, force: true })
})

function keep(models: KeptModels, key: string, content: string): void {
  const draft = models.draft(key)
  if (draft === undefined) throw new Error('no draft was given')
  writeFileSync(draft.path, content)
  draft.keep()
}

const files = () => readdirSync(folder).toSorted()
const minutesAgo = (minutes: number) => Date.now() / 1000 - minutes * 60

test('what was kept is read by whoever asks for the same, and by nobody else', () => {
  expect(new KeptModels(folder).read('one')).toBeUndefined()
  keep(new KeptModels(folder), 'one', 'a model')
  expect(new KeptModels(folder).read('one')?.toString()).toBe('a model')
  expect(new KeptModels(folder).read('on')).toBeUndefined()
  expect(new KeptModels(folder).read('two')).toBeUndefined()
})

test('a file is there whole or not at all', () => {
  const models = new KeptModels(folder)
  const draft = models.draft('one')
  writeFileSync(draft?.path ?? '', 'half a')
  expect(models.read('one')).toBeUndefined()
  draft?.discard()
  expect(files()).toEqual([])
})

test('one whose bytes are not what its name says is damaged: it is said, removed and made again', () => {
  keep(new KeptModels(folder), 'one', 'a model')
  const [name = ''] = files()
  truncateSync(join(folder, name), 3)
  const said: string[] = []
  const models = new KeptModels(folder, (sentence) => said.push(sentence))
  expect(models.read('one')).toBeUndefined()
  expect(said).toEqual([`${join(folder, name)} is damaged and is made again`])
  expect(files()).toEqual([])
  keep(models, 'one', 'a model')
  expect(models.read('one')?.toString()).toBe('a model')
})

test('of two that would write the same the second leaves it, unless the first has been gone for long', () => {
  const said: string[] = []
  const [first, second] = [new KeptModels(folder), new KeptModels(folder, (sentence) => said.push(sentence))]
  const draft = first.draft('one')
  writeFileSync(draft?.path ?? '', 'of the first')
  expect(second.draft('one')).toBeUndefined()
  expect(said).toEqual(['another process is keeping the model'])
  expect(second.draft('two')).toBeDefined()
  utimesSync(draft?.path ?? '', minutesAgo(11), minutesAgo(11))
  keep(second, 'one', 'of the second')
  expect(second.read('one')?.toString()).toBe('of the second')
})

test('two that wrote the same at the same time leave one whole file', () => {
  const models = new KeptModels(folder)
  const drafts = [models.draft('one'), models.draft('one')]
  drafts.forEach((draft, i) => writeFileSync(draft?.path ?? '', `of writer ${i}`))
  for (const draft of drafts) draft?.keep()
  expect(models.read('one')?.toString()).toBe('of writer 1')
  expect(files()).toHaveLength(1)
})

test('what was not used for longest goes when there is too much, and what never was finished', () => {
  const models = new KeptModels(folder, undefined, 20)
  keep(models, 'one', '1'.repeat(9))
  keep(models, 'two', '2'.repeat(9))
  for (const name of files()) utimesSync(join(folder, name), minutesAgo(5), minutesAgo(5))
  // Reading is using.
  expect(models.read('one')).toBeDefined()
  writeFileSync(join(folder, 'four.1-0.partial'), 'left behind')
  utimesSync(join(folder, 'four.1-0.partial'), minutesAgo(11), minutesAgo(11))
  keep(models, 'three', '3'.repeat(9))
  expect(files().map((name) => name.replace(/-.*/, ''))).toEqual(['one', 'three'])
  // Larger than all that may be kept: the newest stays.
  keep(models, 'five', '5'.repeat(30))
  expect(files().map((name) => name.replace(/-.*/, ''))).toEqual(['five'])
})

test('a folder that is removed is made again', () => {
  const models = new KeptModels(folder)
  const draft = models.draft('one')
  rmSync(folder, { recursive: true })
  const said: string[] = []
  const saying = new KeptModels(folder, (sentence) => said.push(sentence))
  // The one that was writing finds nothing to keep, and says nothing worse.
  draft?.keep()
  keep(saying, 'one', 'a model')
  expect(saying.read('one')?.toString()).toBe('a model')
})

test('a folder that cannot be made costs nothing but the time', () => {
  const said: string[] = []
  writeFileSync(folder, 'a file in its place')
  const models = new KeptModels(folder, (sentence) => said.push(sentence))
  expect(models.read('one')).toBeUndefined()
  expect(models.draft('one')).toBeUndefined()
  expect(said).toEqual([expect.stringMatching(/^the model is not kept: .*EEXIST/)])
})

test.skipIf(process.getuid?.() === 0)('a folder that cannot be written is read all the same', () => {
  keep(new KeptModels(folder), 'one', 'a model')
  chmodSync(folder, 0o500)
  onTestFinished(() => chmodSync(folder, 0o700))
  expect(new KeptModels(folder).read('one')?.toString()).toBe('a model')
  const draft = new KeptModels(folder).draft('two')
  expect(() => writeFileSync(draft?.path ?? '', 'another')).toThrow(/EACCES/)
})

test('what was read and could not be used is forgotten', () => {
  const models = new KeptModels(folder)
  keep(models, 'one', 'a model')
  keep(models, 'two', 'another')
  models.remove('one')
  expect(models.read('one')).toBeUndefined()
  expect(models.read('two')).toBeDefined()
})

test('what else lies in the folder is left alone', () => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  keep(new KeptModels(folder), 'one', 'a model')
  expect(files()).toContain('notes.txt')
})
