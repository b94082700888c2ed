import { describe, expect, it } from 'vitest'
import { slicedObject } from '../../src/storage/slicedObject.ts'
import { memoryOutput } from '../support/memoryOutput.ts'

describe('an object that is read in slices', () => {
  it('is refused when it was replaced since, with whom to wait for', async () => {
    const store = memoryOutput()
    await store.put('object', 'before')
    const object = await slicedObject(store, 'object')
    await store.put('object', 'after.')
    await expect(object?.slice(0, 2)).rejects.toMatchObject({
      code: 'held',
      message: 'memory://output/object was replaced while it was read; wait for whoever writes it, then start again',
    })
  })

  it('is refused when it was removed since, with what the reader knows of that', async () => {
    const store = memoryOutput()
    await store.put('object', 'before')
    const [object, told] = [await slicedObject(store, 'object'), await slicedObject(store, 'object', 'restore it')]
    await store.delete('object')
    await expect(object?.slice(0, 2)).rejects.toMatchObject({
      code: 'held',
      message: 'memory://output/object was removed while it was read; start again',
    })
    await expect(told?.slice(0, 2)).rejects.toThrow('was removed while it was read; restore it')
  })
})
