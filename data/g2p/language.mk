# One language of the grapheme-to-phoneme recipe: letters in, phones with spaces between them out.
CORPUS ?= corpus
TRAIN := $(CORPUS)/train/$(LANGUAGE)_train.tsv
DEV := $(CORPUS)/dev/$(LANGUAGE)_dev.tsv
TEST := $(CORPUS)/test/$(LANGUAGE)_test.tsv
OUT := out/$(LANGUAGE)
PRESET := character
TARGET_TYPE := word
METRICS := --metric exact --metric wer

include ../recipe.mk

.PHONY: scored
scored: $(OUT)/score.json

$(OUT)/score.json: $(HYPOTHESES) $(TEST_REFERENCE)
	$(SEQTRANS) score $(HYPOTHESES) -r $(TEST_REFERENCE) $(METRICS) --json > $@.new
	$(replace)

corpus/%.tsv:
	mkdir -p $(@D)
	$(call fetch,https://raw.githubusercontent.com/sigmorphon/2020/master/task1/data/$*.tsv)
