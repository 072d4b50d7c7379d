/* SPDX-License-Identifier: ISC
 *
 * The smallest unikernel: boots and ends.
 */
int start(void)
{
	return 0;
}
