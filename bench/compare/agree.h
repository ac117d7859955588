/* SPDX-License-Identifier: MIT */
/* compare --agree DIR,DIR: reads two results.json, prints what agrees. */
#ifndef RS_COMPARE_AGREE_H
#define RS_COMPARE_AGREE_H

/* rs_agree: returns main's answer: 0, every ratio agrees; 1, not; 2, a file is missing or no
 * results.json of ours. Main thread; allocates. */
int rs_agree(const char *first_folder, const char *second_folder);

#endif
