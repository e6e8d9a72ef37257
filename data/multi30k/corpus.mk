# How the files of Multi30k are downloaded, for every recipe that reads them; to be included after recipe.mk.
HOME_PAGE := https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw

corpus/%.gz:
	mkdir -p corpus
	$(call fetch,$(HOME_PAGE)/$*.gz)

corpus/%: corpus/%.gz
	gunzip --stdout $< > $@.new
	$(replace)
