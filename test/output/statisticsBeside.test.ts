import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { localFolder } from '../../src/output/networkFolder.ts'
import { withStatistics } from '../../src/output/statisticsBeside.ts'

const folder = mkdtempSync(join(tmpdir(), 'headlight-statistics-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const arrays = new URL('../saliency/weights/numpy/', import.meta.url)
for (const file of ['protocol4.pkl', 'arrays.npz', 'mean.npy']) cpSync(new URL(file, arrays), join(folder, file))
writeFileSync(join(folder, 'text.pkl'), 'mean: 1\n')

const mean = [0.5, -1.25, 3, Math.fround(1e-3), 7, -0]
const std = [0, 2 / 3, 4 / 3]
const beside = localFolder(join(folder, 'net.pth'))
const resolved = (head: { output: string; stats?: string; std?: number[] }): Promise<unknown> =>
  withStatistics({ heads: [{ output: 'fc_yaw' }, head] }, 'net.pth.yaml', beside)

test.each(['protocol4.pkl', 'arrays.npz'])('mean and std are read from %s beside the network', async (stats) => {
  expect(await resolved({ output: 'fc_param', stats })).toEqual({
    heads: [{ output: 'fc_yaw' }, { output: 'fc_param', mean, std }],
  })
})

test('what is written out comes before the file’s numbers', async () => {
  expect(await resolved({ output: 'fc_param', stats: 'arrays.npz', std: [1] })).toEqual({
    heads: [{ output: 'fc_yaw' }, { output: 'fc_param', mean, std: [1] }],
  })
})

test('a description without such a file stays as it is', async () => {
  for (const override of [{}, { input: { width: 120 } }, { heads: [{ output: 'fc_yaw' }] }]) {
    expect(await withStatistics(override, 'net.pth.yaml', beside)).toEqual(override)
  }
})

test.each([
  [
    'none.pkl',
    'bad-description',
    'net.pth.yaml names stats: none.pkl, and no file of this name lies beside the network',
  ],
  ['../secret.pkl', 'bad-description', 'net.pth.yaml names stats: ../secret.pkl, and no file of this name'],
  [`${folder}/arrays.npz`, 'bad-description', 'and no file of this name'],
  ['mean.npy', 'bad-description', 'mean.npy holds no array named std, only mean'],
  ['text.pkl', 'bad-checkpoint', 'text.pkl holds no NumPy arrays'],
])('stats: %s is refused', async (stats, code, message) => {
  await expect(resolved({ output: 'fc_param', stats })).rejects.toMatchObject({
    name: 'InputError',
    code,
    message: expect.stringContaining(message) as string,
  })
})
