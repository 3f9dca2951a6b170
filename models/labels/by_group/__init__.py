"""Labels whose errors are alike in all groups: for each group a shift of their log-odds.

Functions say more of some groups than of others, so labels find more of the positives of one group
than of another, and the models learn that. Moving labels to each group's class balance does not
help: labels can be right on average and find few of a group's positives all the same. What has to
be alike is asked for instead: the true or false positive rate, or the share that is positive. Of
two classes only.

What unlabelled rows know are votes and sizes of groups; what only gold rows know is how many of a
group are positive. So a rate is estimated as if the labels' own probabilities were true (as CBPE
estimates a model's quality), once they have been moved to the group's class balance, which a few
gold rows pull away from what the labels say. That estimate is trusted as far as gold rows of the
group vouch for it: n of them move the labels by n / (n + TRUST_ROWS) of the way, so that a group
with three stays where all rows are.
"""
