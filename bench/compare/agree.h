/* compare --agree DIR,DIR: reads two results.json, prints what agrees. */
#ifndef RS_COMPARE_AGREE_H
#define RS_COMPARE_AGREE_H

/* rs_agree: folders: two, with a comma between. Returns main's answer: 0, every ratio agrees; 1,
 * not; 2, a file is missing or no results.json of ours. Main thread; allocates. */
int rs_agree(const char *folders);

#endif
