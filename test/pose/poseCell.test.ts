import { describe, expect, it } from 'vitest'
import { angleBand, poseCell, poseCellCorner } from '../../src/pose/poseCell.ts'

const leastYaw = (yaw: number) => poseCellCorner(poseCell(yaw, 0)).yaw
const leastPitch = (pitch: number) => poseCellCorner(poseCell(0, pitch)).pitch

describe('a border between cells', () => {
  it.each([
    [0, 0],
    [-0, 0],
    [14.999, 0],
    [15, 15],
    [-14.999, -15],
    [-15, -30],
    [-30, -45],
    [-179.9, -180],
    [-180, -180],
    [180, -180],
    [375, 15],
    [-375, -30],
  ])('belongs to the cell further from 0°: %d° lies in that from %d°', (angle, least) => {
    expect(leastYaw(angle)).toBe(least)
    expect(leastPitch(angle)).toBe(least)
  })

  it('belongs to the band of |angle| above it, so that both signs are in one band, which their cells are as well', () => {
    for (let angle = -180; angle < 180; angle += 2.5) {
      const band = angleBand(angle)
      expect(band).toBe(Math.min(11, Math.floor(Math.abs(angle) / 15)))
      const least = leastYaw(angle)
      // As the bands of the report are made, of whole cells.
      expect((least >= 0 ? least : -least - 15) / 15).toBe(band)
    }
  })
})
