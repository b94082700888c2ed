/**
 * A process that writes into a folder, for tests that race or kill several: `node folderClientMain.mjs FOLDER
 * WORK NAME`. Prints `ready`, starts when its standard input gets a line, prints what it did as one line of JSON.
 */
import { once } from 'node:events'
import { FilesystemStore } from '../../src/storage/filesystem.ts'

const [folder = '', work = '', name = ''] = process.argv.slice(2)
const store = new FilesystemStore(folder)
process.stdout.write('ready\n')
await once(process.stdin, 'data')

if (work === 'claim') {
  const won: number[] = []
  for (let i = 0; i < 100; i++) {
    if ((await store.put(`claims/${i}`, name, { ifAbsent: true })) !== false) won.push(i)
  }
  console.log(JSON.stringify(won))
} else if (work === 'count') {
  for (let added = 0; added < 50;) {
    const counter = await store.get('counter')
    if (counter === undefined) throw new Error('no counter')
    const next = String(Number(Buffer.from(counter.bytes).toString()) + 1).padStart(9, '0')
    if ((await store.put('counter', next, { ifMatch: counter.info.etag })) !== false) added++
  }
  console.log('50')
} else if (work === 'overwrite') {
  for (let i = 0; ; i++) await store.put('big', String(i % 10).repeat(1_000_000 + (i % 10)))
} else if (work === 'half') {
  await store.write(name).append(Buffer.from('half of it'))
  console.log('1')
  await once(process.stdin, 'data')
}
process.exit(0)
