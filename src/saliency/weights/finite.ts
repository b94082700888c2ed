/** Whether none of the numbers is NaN or infinite. */
export function allFinite(data: Float32Array): boolean {
  // x − x is 0 for every finite number and NaN otherwise: no branch in the loop.
  let sum = 0
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    sum += value - value
  }
  return sum === 0
}
